from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import train
from export.to_onnx import export_onnx
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import ReleaseError
from finsent.recipe.recipe import Recipe
from finsent.release import ONNX_FILES
from inference.classifier import Classifier
from model_card.behaviour.cases import read_suites
from model_card.behaviour.suites import run_suites
from model_card.measure.abstention import fit_threshold, judge, measure_abstention
from model_card.measure.metrics import Metrics, read_metrics, write_metrics
from model_card.measure.release import (
    _find_mistakes,
    _measure_behaviour,
    class_numbers,
    describe_machine,
    measure,
)
from tests import tiny


@pytest.fixture
def drifting(tiny_recipe: Recipe, tiny_release: Path, tmp_path: Path) -> tuple[Recipe, Path]:
    """A release whose quantized file holds the weights of another model, under a budget of 10 % flips."""
    folder, other = tmp_path / "release", tmp_path / "other"
    shutil.copytree(tiny_release, folder)
    stranger = tiny_recipe.model_copy(update={"seed": 5})
    load_base(stranger, []).save(other)
    shutil.copy(export_onnx(other, opset=17), folder / ONNX_FILES["quantized"])
    variants = tiny_recipe.export.variants
    budget = variants[1].budget.model_copy(update={"flip_share": 0.1})
    tight = variants[1].model_copy(update={"budget": budget})
    export = tiny_recipe.export.model_copy(update={"variants": [variants[0], tight]})
    return tiny_recipe.model_copy(update={"export": export}), folder


def measured(recipe: Recipe, folder: Path) -> Metrics:
    training = read_metrics(folder / "metrics.json").training
    return measure(recipe, load_splits(recipe), training, folder, "apache-2.0")


def test_a_variant_that_drifts_is_dropped_and_fails_the_run(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    metrics = measured(recipe, folder)
    assert [dropped.name for dropped in metrics.dropped] == ["quantized"]
    assert "share of labels that flip" in metrics.dropped[0].reasons[0]
    assert not (folder / ONNX_FILES["quantized"]).exists()
    assert metrics.default_variant == "fp32"
    with pytest.raises(ReleaseError, match=r"quantized is required and over its budget \(share of labels"):
        train.check_gate(recipe, metrics)


def test_when_no_file_is_left_the_reasons_are_told(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    shutil.copy(folder / ONNX_FILES["quantized"], folder / ONNX_FILES["fp32"])
    tight = [
        variant.model_copy(update={"budget": recipe.export.variants[1].budget})
        for variant in recipe.export.variants
    ]
    export = recipe.export.model_copy(update={"variants": tight})
    with pytest.raises(
        ReleaseError, match=r"every ONNX file is over its budget \(fp32: .*; quantized: .*flip"
    ):
        measured(recipe.model_copy(update={"export": export}), folder)


def test_an_optional_variant_that_drifts_fails_nothing(drifting: tuple[Recipe, Path]) -> None:
    recipe, folder = drifting
    metrics = measured(recipe, folder)
    optional = recipe.export.variants[1].model_copy(update={"required": False})
    export = recipe.export.model_copy(update={"variants": [recipe.export.variants[0], optional]})
    train.check_gate(recipe.model_copy(update={"export": export}), metrics)
    assert len(metrics.variants) == 2


def test_the_figures_are_those_of_the_predictions(tiny_recipe: Recipe, tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    rows = load_splits(tiny_recipe).test
    predicted = Classifier(tiny_release).predict([row.text for row in rows]).argmax(axis=1)
    right = predicted == class_numbers(rows, tiny_recipe.labels)
    assert metrics.variant("quantized").scores.accuracy == pytest.approx(np.mean(right))
    assert len(metrics.mistakes) == min(20, int((~right).sum()))
    assert metrics.by_source["rows"].n == metrics.by_slice["rows/earnings"].n == len(rows)


def test_mistakes_are_a_fair_sample_in_order(tiny_recipe: Recipe, tiny_release: Path) -> None:
    rows = [
        replace(row, slice=f"s{index % 3}") for index, row in enumerate(load_splits(tiny_recipe).test * 9)
    ]
    labels = class_numbers(rows, tiny_recipe.labels)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), size=len(rows))
    found = _find_mistakes(tiny_recipe, rows, labels, probabilities)
    assert len(found) == 20 < (probabilities.argmax(axis=1) != labels).sum()
    order = [(one.slice, -one.score) for one in found]
    assert order == sorted(order)
    assert {one.slice for one in found} == {"rows/s0", "rows/s1", "rows/s2"}
    hidden = tiny_recipe.data.sources[0].model_copy(update={"show_texts": False})
    data = tiny_recipe.data.model_copy(update={"sources": [hidden]})
    assert _find_mistakes(tiny_recipe.model_copy(update={"data": data}), rows, labels, probabilities) == []


def test_the_threshold_is_fitted_on_validation_rows(tiny_recipe: Recipe, tiny_release: Path) -> None:
    found = read_metrics(tiny_release / "metrics.json").abstention
    splits, classifier = load_splits(tiny_recipe), Classifier(tiny_release)
    parts = [
        judge(classifier.predict([row.text for row in rows]), class_numbers(rows, tiny_recipe.labels))
        for rows in (splits.validation, splits.test)
    ]
    assert found is not None and found.target_error == tiny_recipe.evaluation.abstain_error == 0.1
    assert found.threshold == fit_threshold(parts[0], 0.1)
    expected = measure_abstention(*parts, 0.1).curve
    assert found.curve.coverage == pytest.approx(expected.coverage)
    assert found.curve.error == pytest.approx(expected.error)


def test_older_metrics_are_still_read(tiny_release: Path, tmp_path: Path) -> None:
    tree = tiny.read_json(tiny_release / "metrics.json")
    del tree["abstention"]
    tree["schema_version"] = 2
    (tmp_path / "metrics.json").write_text(json.dumps(tree), encoding="utf-8")
    assert read_metrics(tmp_path / "metrics.json").abstention is None


def test_behaviour_is_measured_for_the_suites_labels(tiny_recipe: Recipe, tiny_release: Path) -> None:
    rows = load_splits(tiny_recipe).test
    classifier = Classifier(tiny_release)
    suites = run_suites(classifier, read_suites(rows))
    found = read_metrics(tiny_release / "metrics.json").behaviour
    assert [(one.name, one.passed, one.n) for one in found] == [(s.name, s.passed, s.n) for s in suites]
    assert len(found) > 10
    other = tiny_recipe.model_copy(update={"labels": ["bearish", "neutral", "bullish"]})
    assert _measure_behaviour(other, rows, classifier) == []


def test_the_machine_and_versions_are_named() -> None:
    machine = describe_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.memory_bytes > 10**8
    assert machine.versions["transformers"].startswith("4.57")


def test_metrics_read_back_equal_and_other_schemas_are_refused(tiny_release: Path, tmp_path: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    write_metrics(metrics, tmp_path / "metrics.json")
    assert read_metrics(tmp_path / "metrics.json") == metrics
    tree = tiny.read_json(tmp_path / "metrics.json")
    del tree["machine"]
    (tmp_path / "metrics.json").write_text(str(tree).replace("'", '"'))
    with pytest.raises(ReleaseError, match=r"metrics.json: .*schema version 3"):
        read_metrics(tmp_path / "metrics.json")
    with pytest.raises(ReleaseError, match=r"run train\.py first"):
        read_metrics(tmp_path / "none.json")
