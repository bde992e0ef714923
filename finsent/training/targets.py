"""What a row teaches: a probability for every label, from its annotators, from teachers, or from both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from finsent.cli import say
from finsent.data.rows import Row
from finsent.errors import FinsentError
from finsent.recipe.recipe import Recipe
from finsent.scoring import Bools, Floats
from finsent.training.augmentation import augment
from finsent.training.counterfactuals import turn_around
from finsent.training.pairs import ALONE, PAIR, number_pairs
from finsent.training.precision import use_bf16
from finsent.training.report import AnswersReport
from finsent.training.splicing import splice
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


def asked_texts(recipe: Recipe, rows: list[Row], transfer: Sequence[str] = ()) -> list[str]:
    """Return what teachers are asked beyond the rows: copies of several kinds and `transfer`."""
    assert recipe.distillation is not None
    plan, seed = recipe.distillation, recipe.training_seed
    if plan.answers is not None:
        seed = recipe.seed  # the same copies whatever the seed of a training, as only those have answers
    texts = [row.text for row in rows]
    augmented = augment(texts, plan.augmentations, seed)
    return [
        *augmented,
        *splice(texts, plan.splices, seed),
        *turn_around(texts, plan.opposites, seed),
        *transfer,
    ]


def training_rows(
    recipe: Recipe, rows: list[Row], teachers: Sequence[Path], transfer: Sequence[str] = ()
) -> tuple[Dataset, AnswersReport | None]:
    """Return columns text and label `(n_labels,)`: the rows, then the texts that teachers alone label.

    A third column numbers pairs where training keeps a margin between them. A row without a written answer
    keeps its label as it is, and another text is left out; the report counts them. Raises FinsentError if a
    teacher has other labels than the recipe, or too few answers.
    """
    texts, targets = [row.text for row in rows], row_targets(rows, recipe.labels)
    report = None
    if recipe.distillation is not None:
        plan = recipe.distillation
        added = asked_texts(recipe, rows, transfer)
        bf16 = use_bf16(recipe.training.bf16)
        taught = ask_teachers(teachers, texts + added, recipe.labels, plan.temperature, bf16)
        known = ~np.isnan(taught[:, 0])
        if plan.answers is not None:
            report = _count_answers(known[: len(texts)], known[len(texts) :])
        mixed = plan.weight * taught[: len(texts)] + (1 - plan.weight) * targets
        targets = np.where(known[: len(texts), None], mixed, targets)
        targets = np.concatenate([targets, taught[len(texts) :][known[len(texts) :]]])
        texts += [text for text, answered in zip(added, known[len(texts) :], strict=True) if answered]
    columns: dict[str, list[Any]] = {"text": texts, "label": targets.tolist()}
    if recipe.training.pair_margin:
        columns[PAIR] = number_pairs(rows, recipe.labels) + [[ALONE, 0]] * (len(texts) - len(rows))
    return Dataset.from_dict(columns), report


def _count_answers(rows: Bools, copies: Bools) -> AnswersReport:
    """Count what has an answer and tell what has none; FinsentError if that is more than half."""
    without = int(np.sum(~rows)), int(np.sum(~copies))
    told = (
        f"{without[0]:,} of {len(rows):,} training rows and {without[1]:,} of {len(copies):,} copies have no "
        "written answer"
    )
    if without[0] > len(rows) / 2 or without[1] > len(copies) / 2:
        raise FinsentError(
            f"distillation.answers: {told}; write the answers again with train.py --write-answers"
        )
    if any(without):
        say(f"  {told}; such rows are learnt from their labels, such copies are left out")
    return AnswersReport(int(rows.sum()), int(copies.sum()), *without)
