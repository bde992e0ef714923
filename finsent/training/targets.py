"""What a row teaches: a probability for every label, from its annotators, from teachers, or from both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats
from finsent.training.augmentation import augment
from finsent.training.counterfactuals import turn_around
from finsent.training.precision import use_bf16
from finsent.training.teachers import ask_teachers


def row_targets(rows: list[Row], labels: list[str]) -> Floats:
    """Return `(n, n_labels)`: the row's probability on its label, the rest evenly among the others."""
    probabilities = np.array([row.label_probability for row in rows])
    chosen = np.array([labels.index(row.label) for row in rows])
    targets = np.repeat(((1 - probabilities) / (len(labels) - 1))[:, None], len(labels), axis=1)
    targets[np.arange(len(rows)), chosen] = probabilities
    return targets


def validation_rows(rows: list[Row], labels: list[str]) -> Dataset:
    """Return columns text and label `(n_labels,)`: all of the probability on the row's own label."""
    one_hot = np.eye(len(labels))[[labels.index(row.label) for row in rows]]
    return Dataset.from_dict({"text": [row.text for row in rows], "label": one_hot.tolist()})


def training_rows(
    recipe: Recipe, rows: list[Row], teachers: Sequence[Path], transfer: Sequence[str] = ()
) -> Dataset:
    """Return columns text and label `(n_labels,)`: the rows, then what teachers alone label.

    The teachers label augmentations of the rows, copies that say the opposite, and the texts of `transfer`.
    Raises FinsentError if a teacher has other labels than the recipe.
    """
    texts, targets = [row.text for row in rows], row_targets(rows, recipe.labels)
    if recipe.distillation is not None:
        plan = recipe.distillation
        seed = recipe.training_seed
        added = [
            *augment(texts, plan.augmentations, seed),
            *turn_around(texts, plan.opposites, seed),
            *transfer,
        ]
        bf16 = use_bf16(recipe.training.bf16)
        taught = ask_teachers(teachers, texts + added, recipe.labels, plan.temperature, bf16)
        targets = plan.weight * taught[: len(texts)] + (1 - plan.weight) * targets
        texts, targets = texts + added, np.concatenate([targets, taught[len(texts) :]])
    return Dataset.from_dict({"text": texts, "label": targets.tolist()})
