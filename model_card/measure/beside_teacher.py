"""A student beside its teachers on the same test rows: where either of them alone is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats, mcnemar
from finsent.training.precision import use_bf16
from finsent.training.teachers import ask_teachers
from model_card.measure.metrics_file import BesideTeacher
from model_card.measure.scores import class_numbers, score_rows


def measure_beside_teacher(
    recipe: Recipe, rows: Sequence[Row], teachers: Sequence[Path], probabilities: Floats
) -> BesideTeacher | None:
    """Compare a student's probabilities `(n, n_labels)` with what it learnt from; None without teachers.

    `teachers` are releases, of which only test rows that are new take time, or written answers. None where
    those lack a test row.
    """
    if recipe.distillation is None:
        return None
    taught = ask_teachers(
        teachers,
        [row.text for row in rows],
        recipe.labels,
        recipe.distillation.temperature,
        use_bf16(recipe.training.bf16),
    )
    if np.isnan(taught).any():
        return None
    labels = class_numbers(rows, recipe.labels)
    theirs, own = taught.argmax(axis=1), probabilities.argmax(axis=1)
    teacher_alone = int(((theirs == labels) & (own != labels)).sum())
    student_alone = int(((theirs != labels) & (own == labels)).sum())
    scores = score_rows(recipe, taught, labels)
    return BesideTeacher(
        rows=len(rows),
        accuracy=scores.accuracy,
        accuracy_interval=scores.accuracy_interval,
        agreement=float((theirs == own).mean()),
        teacher_alone=teacher_alone,
        student_alone=student_alone,
        p=mcnemar(student_alone, teacher_alone),
    )
