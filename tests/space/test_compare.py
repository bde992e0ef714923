from __future__ import annotations

from compare import show_comparison
from model import Model

from tests.space.tags import parse


def test_a_comparison_has_both_files_with_size_and_time(model: Model) -> None:
    text = parse(show_comparison(model, "Profit rose")).text
    for name in ("onnx/model.onnx", "onnx/model_quantized.onnx"):
        size = (model.folder / name).stat().st_size / 1e6
        assert f"{name}, {size:.1f} MB" in text
    assert text.count("Took") == 2
