"""When an answer is better withheld: a threshold fitted on validation rows, and what it does on test rows.

Answering only from some probability on trades coverage, the share of rows answered, for fewer errors: that is
selective classification, https://arxiv.org/abs/1705.08500.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finsent.scoring import Floats, Interval, Ints, wilson

STEPS = 1000  # thresholds are multiples of 0.001, so that the card can print the very number
LEAST_ANSWERED = 30  # rows; fewer without an error do not show that the error is below 10 % (rule of three)
CURVE_POINTS = 50


@dataclass(frozen=True)
class Answered:
    """What a threshold does on some rows: how many score that high, and the share of errors on both sides.

    An error is None where there is no row on that side.
    """

    rows: int
    answered: int
    coverage: float
    error: float | None
    error_interval: Interval | None
    error_below: float | None


@dataclass(frozen=True)
class Curve:
    """Coverage and error of the rows that score at least `threshold`, from the surest rows to all of them."""

    threshold: list[float]
    coverage: list[float]
    error: list[float]


@dataclass(frozen=True)
class Abstention:
    """A threshold for `target_error`, None where none was found; then validation and test are None, too.

    An answer is given where its probability reaches the threshold. `curve` is of the test rows.
    """

    target_error: float
    threshold: float | None
    validation: Answered | None
    test: Answered | None
    curve: Curve


@dataclass(frozen=True)
class Judged:
    """The probability of each answer `(n,)`, and whether it was right `(n,)`."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]


def judge(probabilities: Floats, labels: Ints) -> Judged:
    """Hold probabilities `(n, n_labels)` against class numbers `(n,)`."""
    return Judged(probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels)


def measure_abstention(validation: Judged, test: Judged, target_error: float) -> Abstention:
    """Fit a threshold on the validation rows and say what it does on both."""
    threshold = fit_threshold(validation, target_error)
    return Abstention(
        target_error=target_error,
        threshold=threshold,
        validation=None if threshold is None else apply_threshold(validation, threshold),
        test=None if threshold is None else apply_threshold(test, threshold),
        curve=draw_curve(test),
    )


def fit_threshold(rows: Judged, target_error: float) -> float | None:
    """Return the smallest threshold at which at most `target_error` of the answers are wrong.

    None if there is none with LEAST_ANSWERED rows answered: a few lucky rows at the top prove nothing.
    """
    for step in range(STEPS):
        threshold = step / STEPS
        answered = rows.confidence >= threshold
        count = int(answered.sum())
        if count < LEAST_ANSWERED:
            return None
        if int((~rows.right[answered]).sum()) / count <= target_error:
            return threshold
    return None


def apply_threshold(rows: Judged, threshold: float) -> Answered:
    """Return what a threshold does on rows, with a 95 % Wilson interval of the error."""
    answered = rows.confidence >= threshold
    count = int(answered.sum())
    wrong = int((~rows.right[answered]).sum())
    return Answered(
        rows=len(answered),
        answered=count,
        coverage=count / len(answered),
        error=_error(rows.right[answered]),
        error_interval=Interval(*wilson(wrong, count)) if count else None,
        error_below=_error(rows.right[~answered]),
    )


def draw_curve(rows: Judged) -> Curve:
    """Return the risk-coverage curve at evenly spaced coverages; rows of equal confidence stay together."""
    surest = np.sort(rows.confidence)[::-1]
    ranks = np.unique(np.ceil(np.linspace(0, len(surest), CURVE_POINTS + 1)[1:]).astype(int))
    thresholds = np.unique(surest[ranks - 1])[::-1]
    points = [apply_threshold(rows, float(threshold)) for threshold in thresholds]
    return Curve(
        threshold=[float(threshold) for threshold in thresholds],
        coverage=[point.coverage for point in points],
        error=[float(point.error or 0) for point in points],
    )


def _error(right: NDArray[Any]) -> float | None:
    return float(1 - right.mean()) if len(right) else None
