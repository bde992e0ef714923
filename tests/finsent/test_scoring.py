from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss

from finsent.scoring import bootstrap, bootstrap_mean, classification, score, wilson

NAMES = ["negative", "neutral", "positive"]
LABELS = np.array([0, 0, 1, 1, 2, 2, 2, 1])
PREDICTED = np.array([0, 1, 1, 1, 2, 0, 2, 1])
CONFUSION = np.array([[1, 1, 0], [0, 3, 0], [1, 0, 2]])


def probabilities(confidence: float = 0.8) -> np.ndarray:
    rest = (1 - confidence) / 2
    return np.where(np.eye(3)[PREDICTED] == 1, confidence, rest)


def test_scores_agree_with_scikit_learn() -> None:
    found = score(probabilities(), LABELS, NAMES, 200, 0)
    assert found.accuracy == pytest.approx(6 / 8)
    assert found.macro_f1 == pytest.approx(f1_score(LABELS, PREDICTED, average="macro"))
    assert found.confusion == CONFUSION.tolist()
    assert found.per_class["positive"].recall == pytest.approx(2 / 3)


def test_an_absent_class_shifts_nothing() -> None:
    found = classification(np.array([0, 0]), np.array([0, 0]), 3)
    assert found["f1"] == [1.0, 0.0, 0.0]
    assert found["support"] == [2, 0, 0]


def test_calibration_is_the_gap_between_confidence_and_accuracy() -> None:
    found = score(probabilities(0.8), LABELS, NAMES, 100, 0)
    assert found.ece == pytest.approx(0.8 - 0.75)
    assert found.brier == pytest.approx((6 * (0.04 + 2 * 0.01) + 2 * (0.64 + 0.81 + 0.01)) / 8)
    assert sum(found.reliability.count) == 8
    assert found.mean_score == pytest.approx(0.8)
    mixed = np.vstack([probabilities(0.8)[:2], probabilities(0.5)[2:]])
    assert score(mixed, LABELS, NAMES, 100, 0).mean_score == pytest.approx((2 * 0.8 + 6 * 0.5) / 8)


def test_log_loss_agrees_with_scikit_learn_and_is_finite_where_a_label_has_no_chance() -> None:
    given = probabilities(0.8)
    assert score(given, LABELS, NAMES, 100, 0).log_loss == pytest.approx(log_loss(LABELS, given))
    certain = np.eye(3)[np.array(LABELS)]
    assert score(certain, LABELS, NAMES, 100, 0).log_loss == 0
    assert score(np.roll(certain, 1, axis=1), LABELS, NAMES, 100, 0).log_loss == pytest.approx(
        36.04, abs=0.01
    )


def test_intervals_hold_the_figure_and_narrow_with_rows() -> None:
    few, _ = bootstrap(CONFUSION, 8, 500, 0)
    many, f1 = bootstrap(100 * CONFUSION, 800, 500, 0)
    assert few.low < 0.75 < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert f1.low < f1_score(LABELS, PREDICTED, average="macro") < f1.high


def test_the_seed_decides_the_interval() -> None:
    assert bootstrap(CONFUSION, 8, 200, 3) == bootstrap(CONFUSION, 8, 200, 3)


def test_wilson_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == pytest.approx(1)


def test_the_interval_of_a_mean_is_that_of_rows_drawn_again() -> None:
    differences = np.array([1.0] * 30 + [-1.0] * 20 + [0.0] * 50)
    found = bootstrap_mean(differences, 2000, seed=1)
    draws = np.random.default_rng(2).choice(differences, size=(4000, 100)).mean(axis=1)
    assert [found.low, found.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]).tolist(), abs=0.015)
