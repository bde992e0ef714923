from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import train
from export.to_onnx import export_onnx
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import ReleaseError
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.recipe import Recipe
from model_card.measure.metrics_file import read_metrics
from model_card.measure.release import measure_release
from model_card.measure.variants import find_dropped, measure_variants


@pytest.fixture
def drifting(tiny_recipe: Recipe, tiny_release: Path, tmp_path: Path) -> tuple[Recipe, Path]:
    """A release whose quantized file holds the weights of another model, under a budget of 10 % flips."""
    folder, other = tmp_path / "release", tmp_path / "other"
    shutil.copytree(tiny_release, folder)
    stranger = tiny_recipe.model_copy(update={"seed": 5})
    load_base(stranger, []).save(other)
    shutil.copy(export_onnx(other, opset=17), folder / QUANTIZED.path)
    variants = tiny_recipe.export.variants
    budget = variants[1].budget.model_copy(update={"flip_share": 0.1})
    tight = variants[1].model_copy(update={"budget": budget})
    export = tiny_recipe.export.model_copy(update={"variants": [variants[0], tight]})
    return tiny_recipe.model_copy(update={"export": export}), folder


def test_a_variant_that_drifts_is_dropped_and_fails_the_run(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    found = measure_variants(recipe, load_splits(recipe).test, folder)
    (dropped,) = find_dropped(recipe.export, found)
    assert dropped.name == "quantized" and "share of labels that flip" in dropped.reasons[0]
    with pytest.raises(ReleaseError, match=r"quantized is required and over its budget \(share of labels"):
        train.pass_gate(recipe, found, folder)


def test_when_no_file_is_left_the_reasons_are_told(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    shutil.copy(folder / QUANTIZED.path, folder / FP32.path)
    optional = {
        "budget": recipe.export.variants[1].budget,
        "required": False,
    }  # fp32 is required all the same
    tight = [variant.model_copy(update=optional) for variant in recipe.export.variants]
    changed = recipe.model_copy(update={"export": recipe.export.model_copy(update={"variants": tight})})
    found = measure_variants(changed, load_splits(recipe).test, folder)
    assert [one.name for one in find_dropped(changed.export, found)] == ["fp32", "quantized"]
    with pytest.raises(ReleaseError, match=r"fp32 is required and over its budget \(.*flip"):
        train.pass_gate(changed, found, folder)


def test_an_optional_variant_that_drifts_fails_nothing(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    optional = recipe.export.variants[1].model_copy(update={"required": False})
    export = recipe.export.model_copy(update={"variants": [recipe.export.variants[0], optional]})
    changed, splits = recipe.model_copy(update={"export": export}), load_splits(recipe)
    gated = train.pass_gate(changed, measure_variants(changed, splits.test, folder), folder)
    assert [one.figures.name for one in gated.released] == ["pytorch", "fp32"]
    assert not (folder / QUANTIZED.path).exists()
    training = read_metrics(folder / "metrics.json").training
    metrics = measure_release(changed, splits, training, folder, "apache-2.0", gated)
    assert metrics.default_variant == "fp32"
    assert [one.name for one in metrics.dropped] == ["quantized"]


def test_measuring_writes_and_deletes_nothing(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    found = measure_variants(recipe, load_splits(recipe).test, folder)
    assert find_dropped(recipe.export, found)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
