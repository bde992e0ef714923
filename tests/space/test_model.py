from __future__ import annotations

import json
import math
import shutil
import sys
import urllib.request
from pathlib import Path

import pytest
from endpoints import make_functions
from model import FULL, NO_FIGURES, QUANTIZED, Doubt, Model, find_doubt, load_model, read_doubt
from model import METRICS as SPACE_METRICS
from model import RECIPE as SPACE_RECIPE
from one import show_answer, show_pair

from finsent.onnx_files import FP32
from finsent.onnx_files import QUANTIZED as QUANTIZED_FILE
from finsent.release import METRICS, RECIPE, TRANSFORMERS_FILES
from inference.classifier import FILES
from tests.space.conftest import running_demo


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


def test_a_release_from_before_its_words_were_told_has_texts_and_judges_nothing(release: Path) -> None:
    model = load_model(str(release))
    del model.metrics["words"]
    assert (model.unit.one, model.unit.many, model.pair, model.notice) == ("text", "texts", None, "")
    assert {mark.kind for mark in model.marks.values()} == {"plain-0", "plain-1", "plain-2"}
    assert show_pair(model) == ("", "")
    assert "fs-plain-" in show_answer(model, "Profit rose")[0]
    bare = Model(model.folder, "bare", None)
    bare.metrics, bare.card = {}, {}
    assert (make_functions(bare)[0].__doc__ or "").startswith("Classify one text.")
    assert "There is no text yet" in show_answer(bare, "")[0]


def test_the_app_of_such_a_release_starts(release: Path, space_folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "release"
    shutil.copytree(release, old)
    metrics = json.loads((old / METRICS).read_text(encoding="utf-8"))
    del metrics["words"]
    (old / METRICS).write_text(json.dumps(metrics), encoding="utf-8")
    with (
        running_demo(sys.executable, space_folder, old, tmp_path / "app.log") as demo,
        urllib.request.urlopen(f"{demo.address}/config", timeout=30) as answer,
    ):
        told = json.loads(answer.read())
    shown = {one["props"].get("label") for one in told["components"]}
    assert {"One text", "Texts, one per line"} <= shown and not any("eadline" in str(one) for one in shown)
    [pair] = [one["props"] for one in told["components"] if one["props"].get("elem_id") == "pair"]
    assert pair["visible"] is False
