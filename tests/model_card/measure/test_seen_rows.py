from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure import seen_rows
from model_card.measure.metrics_file import read_metrics
from model_card.measure.scores import class_numbers
from tests.model_card.samples import make_metrics, make_recipe, make_seen_rows


def test_the_gap_is_between_training_and_test_rows(tiny_recipe: Recipe, tiny_release: Path) -> None:
    metrics, splits = read_metrics(tiny_release / "metrics.json"), load_splits(tiny_recipe)
    found, rows = metrics.seen_rows, splits.train
    predicted = Classifier(tiny_release).predict([row.text for row in rows]).argmax(axis=1)
    assert found is not None and found.rows == len(rows)
    assert found.accuracy == pytest.approx(np.mean(predicted == class_numbers(rows, tiny_recipe.labels)))
    assert found.gap == pytest.approx(found.accuracy - metrics.variant("quantized").scores.accuracy)
    assert found.gap_interval.low < found.gap < found.gap_interval.high


def test_no_more_rows_are_asked_than_the_bound(
    tiny_recipe: Recipe, tiny_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_rows, "MOST_ROWS", 10)
    rows, classifier = load_splits(tiny_recipe).train, Classifier(tiny_release)
    test = seen_rows.Judged(np.ones(4), np.array([True, True, False, True]))
    one, two = (seen_rows.measure_seen_rows(tiny_recipe, rows, classifier, test) for _ in range(2))
    assert one == two and one.rows == 10


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (0.08, "8.0 points less (95 % interval of the gap 7.3 to 9.1).\nSo it has learnt some"),
        (0.0, "0.0 points less (95 % interval of the gap -0.7 to 1.1).\nThat is within chance"),
        (-0.05, "5.0 points more (95 % interval of the gap -5.7 to -3.9).\nSo the training rows are harder"),
    ],
)
def test_the_card_says_what_the_gap_means(gap: float, said: str) -> None:
    metrics = make_metrics(seen_rows=make_seen_rows(gap))
    card = build_card(make_recipe(), metrics)
    assert said in card
    assert lint_card(card, metrics, None, make_recipe()) == []
