from __future__ import annotations

from pathlib import Path

from model_card.summary import summarize
from tests.model_card.samples import make_metrics


def test_a_release_is_told_in_a_line_and_a_line_a_file() -> None:
    head, *files = summarize(Path("runs/x/release"), make_metrics()).split("\n")
    assert head == "runs/x/release: version 1.2.0, 14.4 M parameters, apache-2.0"
    assert len(files) == 3
    scores = make_metrics().variant("quantized").scores
    assert files[2] == (
        f"  onnx/model_quantized.onnx      14.9 MB  accuracy {scores.accuracy:.3f}  "
        f"macro F1 {scores.macro_f1:.3f}  p50 1.23 ms"
    )
