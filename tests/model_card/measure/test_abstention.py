from __future__ import annotations

import numpy as np
import pytest

from finsent.recipe.recipe import Recipe
from finsent.scoring import wilson
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure.abstention import (
    LEAST_ANSWERED,
    Judged,
    apply_threshold,
    draw_curve,
    fit_threshold,
    judge,
    measure_abstention,
)
from tests.model_card.samples import make_abstention, make_metrics


def judged(*parts: tuple[float, int, int]) -> Judged:
    """Rows from parts: their confidence, how many are right, how many wrong."""
    confidence = [part[0] for part in parts for _ in range(part[1] + part[2])]
    right = [value for part in parts for value in [True] * part[1] + [False] * part[2]]
    return Judged(np.array(confidence), np.array(right))


SAMPLE = judged((0.9, 40, 2), (0.7, 40, 4), (0.5, 30, 30))


def test_the_threshold_is_the_smallest_that_keeps_the_error() -> None:
    assert fit_threshold(SAMPLE, 0.07) == 0.501  # 6 of 86 wrong from 0.7 on, and nothing lies between
    assert fit_threshold(SAMPLE, 0.05) == 0.701  # 2 of 42
    assert fit_threshold(SAMPLE, 36 / 146) == 0.0  # all of them
    assert fit_threshold(SAMPLE, 0.04) is None


def test_a_score_at_the_threshold_is_answered() -> None:
    rows = judged((0.25, 0, 50), (0.75, 50, 0))
    threshold = fit_threshold(rows, 0.1)
    assert threshold == 0.251
    assert apply_threshold(rows, 0.75).answered == 50
    assert apply_threshold(rows, 0.751).answered == 0


def test_a_few_lucky_rows_are_no_threshold() -> None:
    few = judged((0.99, LEAST_ANSWERED - 1, 0), (0.5, 0, 100))
    enough = judged((0.99, LEAST_ANSWERED, 0), (0.5, 0, 100))
    assert fit_threshold(few, 0.1) is None
    assert fit_threshold(enough, 0.1) == 0.501


def test_both_sides_of_a_threshold_are_counted() -> None:
    found = apply_threshold(SAMPLE, 0.7)
    assert (found.rows, found.answered) == (146, 86)
    assert found.coverage == pytest.approx(86 / 146)
    assert found.error == pytest.approx(6 / 86)
    assert found.error_below == pytest.approx(0.5)
    assert found.error_interval is not None
    assert (found.error_interval.low, found.error_interval.high) == wilson(6, 86)
    assert apply_threshold(SAMPLE, 0.0).error_below is None
    assert apply_threshold(SAMPLE, 1.0).error is None and apply_threshold(SAMPLE, 1.0).error_interval is None


def test_the_threshold_comes_from_validation_rows_alone() -> None:
    other = judged((0.9, 10, 90), (0.6, 0, 100))
    found = measure_abstention(SAMPLE, other, 0.05)
    assert found.threshold == 0.701
    assert found.validation == apply_threshold(SAMPLE, 0.701)
    assert found.test == apply_threshold(other, 0.701) and found.test.error == pytest.approx(0.9)
    assert found.curve == draw_curve(other)


def test_the_curve_goes_from_the_surest_row_to_all() -> None:
    curve = draw_curve(SAMPLE)
    assert curve.threshold == [0.9, 0.7, 0.5]  # equal scores are answered together
    assert curve.coverage == pytest.approx([42 / 146, 86 / 146, 1])
    assert curve.error == pytest.approx([2 / 42, 6 / 86, 36 / 146])
    assert draw_curve(judged((0.4, 1, 0))).coverage == [1]


def test_answers_are_judged_by_their_largest_probability() -> None:
    probabilities = np.array([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2]], dtype=np.float32)
    found = judge(probabilities, np.array([1, 2]))
    assert found.confidence == pytest.approx([0.7, 0.5], abs=1e-7) and found.right.tolist() == [True, False]


def test_the_card_prints_threshold_and_what_it_does(card: str) -> None:
    found = make_abstention()
    assert found.test is not None and found.test.error is not None and found.threshold is not None
    assert f"Abstain below {found.threshold:.3f}:" in card
    row = next(line for line in card.splitlines() if line.startswith("| test | "))
    assert f"| {100 * found.test.coverage:.1f} % | {100 * found.test.error:.1f} % (" in row
    assert "](figures/coverage.png)" in card


def test_a_threshold_that_was_not_found_is_said(recipe: Recipe) -> None:
    metrics = make_metrics(abstention=make_abstention(skill=0.2, target_error=0.01))
    assert metrics.abstention is not None and metrics.abstention.threshold is None
    card = build_card(recipe, metrics)
    assert "No threshold was found at which at most 1.0 % of 30 or more answers" in card
    assert lint_card(card, metrics, None, recipe) == []


def test_a_target_that_the_test_rows_miss_is_said(recipe: Recipe, card: str) -> None:
    metrics = make_metrics(abstention=measure_abstention(SAMPLE, judged((0.9, 60, 40), (0.6, 0, 9)), 0.05))
    told = build_card(recipe, metrics)
    assert "On the test rows the target is missed" in told and "is missed" not in card
    assert lint_card(told, metrics, None, recipe) == []


def test_a_release_from_before_has_no_such_section(recipe: Recipe) -> None:
    metrics = make_metrics(abstention=None, schema_version=2)
    card = build_card(recipe, metrics)
    assert "abstain" not in card.lower() and "coverage.png" not in card
    assert lint_card(card, metrics, None, recipe) == []


def test_the_curve_allows_no_figure_in_free_text(recipe: Recipe, card: str) -> None:
    metrics = make_metrics()
    assert metrics.abstention is not None
    odd = next(value for value in metrics.abstention.curve.coverage if f"{100 * value:.1f}" == "38.0")
    text = card.replace("### Speed\n", f"It answers {100 * odd:.1f} % of them.\n\n### Speed\n")
    assert any("38.0 %" in problem.message for problem in lint_card(text, metrics, None, recipe))
