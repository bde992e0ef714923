"""The gate: a variant that drifts from PyTorch further than its budget is not released."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finsent.recipe.export import Budget
from finsent.scoring import Floats, Ints, classification


@dataclass(frozen=True)
class Drift:
    """How a variant differs from PyTorch on the same rows. `batch_difference`: |Δp| alone against padded."""

    flip_count: int
    flip_share: float
    max_probability_difference: float
    macro_f1_drop: float
    batch_difference: float


def measure_drift(reference: Floats, variant: Floats, alone: Floats, padded: Floats, labels: Ints) -> Drift:
    """Compare probabilities `(n, n_labels)` of a variant with PyTorch's on rows with classes `(n,)`.

    `alone` and `padded` are the variant's `(m, n_labels)` for the same texts, one by one and in padded
    batches.
    """
    n_labels = reference.shape[1]
    first, second = reference.argmax(axis=1), variant.argmax(axis=1)
    scores = [classification(predicted, labels, n_labels)["macro_f1"] for predicted in (first, second)]
    return Drift(
        flip_count=int((first != second).sum()),
        flip_share=float((first != second).mean()),
        max_probability_difference=float(np.abs(reference - variant).max()),
        macro_f1_drop=scores[0] - scores[1],
        batch_difference=float(np.abs(alone - padded).max()),
    )


def check_budget(drift: Drift, budget: Budget) -> list[str]:
    """Return why a variant is over its budget, a sentence a reason; an empty list lets it pass."""
    limits = (
        ("macro F1 drops by", drift.macro_f1_drop, budget.macro_f1_drop),
        ("share of labels that flip", drift.flip_share, budget.flip_share),
        ("largest |Δp| between alone and padded", drift.batch_difference, budget.batch_difference),
    )
    return [
        f"{what} {found:.3g}, allowed {most:g}"
        for what, found, most in limits
        if not found <= most  # NaN is over any budget
    ]
