"""How good predictions are: the figures that metrics.json holds, computed through `evaluate`.

The metric modules ship in finsent/metrics/ and load from there, without network.
"""

from __future__ import annotations

import atexit
import functools
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import evaluate

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Ints = NDArray[np.integer[Any]]

MODULES = Path(__file__).parent / "metrics"
CALIBRATION_BINS = 15
Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; support is its number of rows."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Interval:
    """A 95 % percentile bootstrap interval over rows."""

    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """Rows per bin of confidence, with the accuracy and the mean confidence in each."""

    count: list[int]
    accuracy: list[float]
    confidence: list[float]


@dataclass(frozen=True)
class Scores:
    """What is said of one set of predictions. `confusion[i][j]`: rows of class i predicted as j."""

    n: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    per_class: dict[str, ClassScores]
    confusion: list[list[int]]
    ece: float
    brier: float
    reliability: Reliability
    log_loss: float | None = None  # of the natural logarithm; older releases did not measure it

    @property
    def mean_score(self) -> float:
        """The mean probability of the label that was told, 0..1."""
        bins = zip(self.reliability.count, self.reliability.confidence, strict=True)
        return sum(count * confidence for count, confidence in bins) / self.n


def score(probabilities: Floats, labels: Ints, names: list[str], resamples: int, seed: int) -> Scores:
    """Score probabilities `(n, n_labels)` against class numbers `(n,)`; `names` are the classes in order."""
    predictions = probabilities.argmax(axis=1)
    found = classification(predictions, labels, len(names))
    calibrated = _module("calibration").compute(
        predictions=probabilities.astype(float).tolist(), references=labels.tolist(), bins=CALIBRATION_BINS
    )
    accuracy, macro_f1 = bootstrap(np.array(found["confusion"]), len(labels), resamples, seed)
    classes = zip(names, found["precision"], found["recall"], found["f1"], found["support"], strict=True)
    return Scores(
        n=len(labels),
        accuracy=found["accuracy"],
        accuracy_interval=accuracy,
        macro_f1=found["macro_f1"],
        macro_f1_interval=macro_f1,
        per_class={name: ClassScores(*values) for name, *values in classes},
        confusion=found["confusion"],
        ece=calibrated["ece"],
        brier=calibrated["brier"],
        reliability=Reliability(
            calibrated["bin_count"], calibrated["bin_accuracy"], calibrated["bin_confidence"]
        ),
        log_loss=calibrated["log_loss"],
    )


def classification(predictions: Ints, labels: Ints, n_labels: int) -> dict[str, Any]:
    """Return accuracy, macro_f1, precision, recall, f1, support and confusion of class numbers `(n,)`."""
    found = _module("classification").compute(
        predictions=predictions.tolist(), references=labels.tolist(), labels=n_labels
    )
    assert isinstance(found, dict)  # None only in the other processes of a distributed run
    return found


def bootstrap(confusion: Ints | Floats, n: int, resamples: int, seed: int) -> tuple[Interval, Interval]:
    """Return 95 % intervals of accuracy and macro F1 over `n` rows drawn with replacement.

    Both depend on the confusion matrix `(n_labels, n_labels)` alone, so its cells are drawn instead of rows.
    """
    n_labels = len(confusion)
    drawn = np.random.default_rng(seed).multinomial(n, confusion.ravel() / confusion.sum(), size=resamples)
    cells = drawn.reshape(resamples, n_labels, n_labels)
    right = np.diagonal(cells, axis1=1, axis2=2)
    either = cells.sum(axis=1) + cells.sum(axis=2)
    f1 = np.divide(2 * right, either, out=np.zeros(either.shape), where=either > 0).mean(axis=1)
    return _interval(right.sum(axis=1) / n), _interval(f1)


def bootstrap_mean(differences: Floats, resamples: int, seed: int) -> Interval:
    """Return the 95 % percentile bootstrap interval of the mean over rows.

    Few differences are possible, so how often each is drawn is drawn instead of rows.
    """
    values, counts = np.unique(differences, return_counts=True)
    n = len(differences)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    return _interval(drawn @ values / n)


def wilson(passed: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (1927, https://doi.org/10.1080/01621459.1927.10502953)."""
    share, spread = passed / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(passed: int, n: int, other: int, other_n: int) -> tuple[float, float]:
    """Return Newcombe's 95 % interval of the difference passed / n - other / other_n of independent shares.

    Method 10 of Newcombe (1998), "Interval estimation for the difference between independent proportions".
    """
    first, second = passed / n, other / other_n
    (low, high), (other_low, other_high) = wilson(passed, n), wilson(other, other_n)
    below = math.hypot(first - low, other_high - second)
    above = math.hypot(high - first, second - other_low)
    return first - second - below, first - second + above


def mcnemar(ours: int, theirs: int) -> float:
    """Return McNemar's exact p of rows that only the one has right and rows that only the other has right.

    1947, https://doi.org/10.1007/BF02295996
    """
    from scipy.stats import binomtest  # slow to import, and reading a card needs it not

    return float(binomtest(ours, ours + theirs).pvalue) if ours + theirs else 1.0


def _interval(values: Floats) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(low), float(high))


@functools.cache
def _module(name: str) -> evaluate.EvaluationModule:
    """Load a metric module that ships here; what it writes goes with this process."""
    import evaluate  # brings torch and transformers, which reading a card needs not

    folder = tempfile.mkdtemp(prefix="finsent-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return evaluate.load(str(MODULES / name), cache_dir=folder, keep_in_memory=True)
