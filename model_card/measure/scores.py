"""Scores of rows as a recipe wants them: its labels, its resamples, its seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats, Ints, Scores, score


def class_numbers(rows: Sequence[Row], names: list[str]) -> Ints:
    """Return the class numbers `(n,)` of rows."""
    return np.array([names.index(row.label) for row in rows])


def slice_name(row: Row) -> str:
    """Return the part of its source that a row belongs to; empty where the source has no parts."""
    return f"{row.source}/{row.slice}" if row.slice else ""


def score_rows(recipe: Recipe, probabilities: Floats, labels: Ints) -> Scores:
    """Score probabilities `(n, n_labels)` against class numbers `(n,)`."""
    return score(probabilities, labels, recipe.labels, recipe.evaluation.bootstrap, recipe.seed)


def score_parts(recipe: Recipe, parts: list[str], probabilities: Floats, labels: Ints) -> dict[str, Scores]:
    """Score each part by its name; `parts` `(n,)` names that of each row, empty for a row in none."""
    names = np.array(parts)
    return {
        name: score_rows(recipe, probabilities[names == name], labels[names == name])
        for name in sorted(set(parts))
        if name
    }
