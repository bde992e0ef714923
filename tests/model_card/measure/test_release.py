from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from model_card.behaviour.cases import read_suites
from model_card.behaviour.suites import measure_behaviour
from model_card.measure.abstention import fit_threshold, judge, measure_abstention
from model_card.measure.metrics_file import read_metrics
from model_card.measure.scores import class_numbers


def test_the_figures_are_those_of_the_predictions(tiny_recipe: Recipe, tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    rows = load_splits(tiny_recipe).test
    predicted = Classifier(tiny_release).predict([row.text for row in rows]).argmax(axis=1)
    right = predicted == class_numbers(rows, tiny_recipe.labels)
    assert metrics.variant("quantized").scores.accuracy == pytest.approx(np.mean(right))
    assert len(metrics.mistakes) == min(20, int((~right).sum()))
    assert metrics.by_source["rows"].n == metrics.by_slice["rows/earnings"].n == len(rows)


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


def test_behaviour_is_measured_for_the_suites_labels(tiny_recipe: Recipe, tiny_release: Path) -> None:
    rows = load_splits(tiny_recipe).test
    classifier = Classifier(tiny_release)
    found = read_metrics(tiny_release / "metrics.json").behaviour
    assert found == measure_behaviour(tiny_recipe, classifier, rows)
    assert [one.name for one in found] == [suite.name for suite in read_suites(tiny_recipe, rows)]
    assert len(found) > 10


def test_the_words_of_the_recipe_go_with_the_release(tiny_recipe: Recipe, tiny_release: Path) -> None:
    words, card = read_metrics(tiny_release / "metrics.json").words, tiny_recipe.card
    assert (words.unit.one, words.unit.many) == (card.unit.one, card.unit.many) == ("headline", "headlines")
    assert words.tones == card.tones and words.notice == card.notice and words.languages == ["en"]
    assert words.pair and card.pair and words.pair.texts == card.pair.texts
