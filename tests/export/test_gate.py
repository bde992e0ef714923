from __future__ import annotations

import numpy as np
import pytest

from export.gate import Drift, check_budget, measure_drift
from finsent.recipe.export import Budget


def test_drift_counts_flips_and_differences() -> None:
    reference = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    variant = np.array([[0.8, 0.2], [0.6, 0.4], [0.2, 0.8]])
    drift = measure_drift(reference, variant, variant[:1], variant[:1] + 0.25, np.array([0, 1, 1]))
    assert (drift.flip_count, drift.flip_share) == (1, pytest.approx(1 / 3))
    assert drift.max_probability_difference == pytest.approx(0.2)
    assert drift.macro_f1_drop == pytest.approx(1 - 2 / 3)
    assert drift.batch_difference == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"macro_f1_drop": 0.02}, ["macro F1 drops by 0.02, allowed 0.015"]),
        ({"flip_share": 0.07}, ["labels that flip 0.07, allowed 0.06"]),
        ({"batch_difference": 0.1}, ["alone and padded 0.1, allowed 1e-06"]),
        ({}, []),
    ],
)
def test_the_gate_says_what_is_over_budget(change: dict[str, float], words: list[str]) -> None:
    drift = Drift(**{"flip_count": 1, "flip_share": 0.01, "max_probability_difference": 0.1,
                     "macro_f1_drop": 0.0, "batch_difference": 0.0} | change)  # fmt: skip
    reasons = check_budget(drift, Budget())
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_a_file_that_answers_with_no_number_is_over_budget() -> None:
    drift = Drift(0, 0.0, float("nan"), 0.0, batch_difference=float("nan"))
    assert check_budget(drift, Budget()) == ["largest |Δp| between alone and padded nan, allowed 1e-06"]
