from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from finsent.errors import RecipeError
from finsent.onnx_files import DEFAULTS, FOLDER, FP32, ONNX_FILES, QUANTIZED, choose_default
from finsent.recipe.file import load_recipe
from finsent.recipe.schema import recipe_schema
from finsent.release import ALWAYS
from inference.classifier import Classifier
from tests import tiny

SUFFIXES = {"fp32": "", "fp16": "_fp16", "q8": "_quantized", "q4": "_q4"}  # of transformers.js, by dtype


def test_every_path_is_the_one_that_transformers_js_looks_for() -> None:
    for file in ONNX_FILES.values():
        assert file.path == f"{FOLDER}/{file.file_name}" == f"onnx/model{SUFFIXES[file.dtype]}.onnx"


@pytest.mark.parametrize(
    ("released", "name"),
    [
        (["fp32", "quantized"], "quantized"),
        (["quantized", "fp16", "fp32"], "quantized"),
        (["fp32", "fp16", "q4"], "fp32"),
        (["fp32"], "fp32"),
    ],
)
def test_the_default_is_chosen_by_name(released: list[str], name: str) -> None:
    assert choose_default(released) == name


def test_what_every_release_holds_can_be_the_default() -> None:
    assert DEFAULTS[-1] == FP32.name and FP32.path in ALWAYS


def test_the_classifier_takes_the_default_when_none_is_named() -> None:
    assert inspect.signature(Classifier).parameters["file"].default == QUANTIZED.path


def test_a_recipe_names_files_of_the_table(tiny_base: Path, tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path, tiny_base, export={"variants": [{"name": "fp32"}, {"name": "int4"}]})
    with pytest.raises(RecipeError, match=r"unknown ONNX file 'int4', allowed: fp32, fp16, quantized, q4"):
        load_recipe(path)
    schema = json.loads(recipe_schema())["$defs"]["Variant"]["properties"]["name"]
    assert schema["enum"] == list(ONNX_FILES)
