from __future__ import annotations

import math
from pathlib import Path

import pytest
from model import FULL, NO_FIGURES, QUANTIZED, Doubt, Model, find_doubt, load_model, read_doubt
from model import METRICS as SPACE_METRICS
from model import RECIPE as SPACE_RECIPE

from finsent.onnx_files import FP32
from finsent.onnx_files import QUANTIZED as QUANTIZED_FILE
from finsent.release import METRICS, RECIPE, TRANSFORMERS_FILES
from inference.classifier import FILES


def test_the_threshold_is_read_off_the_reliability() -> None:
    reliability = {"count": [0, 4, 4, 2], "accuracy": [0.0, 0.25, 0.75, 1.0]}
    assert find_doubt(reliability, 3) == Doubt(0.75, 0.5, 8)


def test_where_every_bin_is_right_no_answer_is_unsure() -> None:
    assert find_doubt({"count": [0, 1, 9], "accuracy": [0.0, 1.0, 0.9]}, 3) == Doubt(1 / 3, None, None)


def test_the_threshold_of_the_card_goes_first(release: Path) -> None:
    test = {"rows": 500, "answered": 300, "coverage": 0.6, "error": 0.09, "error_below": 0.4}
    found = read_doubt({"target_error": 0.1, "threshold": 0.812, "test": test})
    assert found == Doubt(0.812, 0.6, 200, 0.1, 0.6, 0.09)
    model = load_model(str(release))
    model.metrics["abstention"] = {"target_error": 0.1, "threshold": 0.812, "test": test}
    assert model.doubt == found


def test_without_a_threshold_every_answer_is_unsure() -> None:
    found = read_doubt({"target_error": 0.1, "threshold": None, "test": None})
    assert found == Doubt(math.inf, None, None, 0.1) and found.threshold > 1


def test_a_release_without_that_figure_has_it_read_off(release: Path) -> None:
    model = load_model(str(release))
    model.metrics.pop("abstention", None)
    default = next(
        one for one in model.metrics["variants"] if one["name"] == model.metrics["default_variant"]
    )
    assert model.doubt == find_doubt(default["scores"]["reliability"], len(model.labels))


def test_a_model_knows_what_came_with_it(release: Path) -> None:
    model = load_model(str(release))
    assert (model.commit, model.page) == (None, None)
    assert model.examples and model.examples[0].text
    assert 0 <= model.doubt.threshold < 1 or math.isinf(model.doubt.threshold)
    assert model.full().file.name == "model.onnx"


def test_a_release_without_figures_still_runs(release: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((release / name).read_bytes())
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes((release / "onnx" / "model.onnx").read_bytes())
    model = Model(tmp_path, "bare", None)
    assert (model.doubt, model.examples, model.has_full, model.title) == (NO_FIGURES, [], False, "bare")


def test_what_is_neither_a_folder_nor_an_id_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"MODEL_ID: '\./typo' is neither a folder nor a Hub id"):
        load_model("./typo")


def test_the_files_are_called_as_in_a_release() -> None:
    named = (FULL, QUANTIZED, SPACE_METRICS, SPACE_RECIPE)
    assert named == (FP32.path, QUANTIZED_FILE.path, METRICS, RECIPE)
    assert set(FILES) <= set(TRANSFORMERS_FILES)
