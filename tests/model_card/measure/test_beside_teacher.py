from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from finsent.scoring import Interval, mcnemar
from finsent.training.answers import write_answers
from finsent.training.teachers import run_model
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure.beside_teacher import measure_beside_teacher
from model_card.measure.metrics_file import BesideTeacher, Metrics
from model_card.measure.scores import class_numbers


def taught_recipe(student: Recipe, count: int = 1) -> Recipe:
    """Return a recipe with as many teachers, which differ from it in their names alone."""
    teachers = [student.model_copy(update={"name": f"big-{number}"}) for number in range(count)]
    tree = student.model_dump() | {"distillation": {"teachers": [one.model_dump() for one in teachers]}}
    return Recipe.model_validate(tree)


def test_rows_are_counted_that_only_one_has_right(tiny_recipe: Recipe, teacher_release: Path) -> None:
    rows = load_splits(tiny_recipe).test
    labels = class_numbers(rows, tiny_recipe.labels)
    theirs = run_model(teacher_release, [row.text for row in rows]).argmax(axis=1)
    own = theirs.copy()
    right, wrong = np.flatnonzero(theirs == labels), np.flatnonzero(theirs != labels)
    own[right[:4]] = (labels[right[:4]] + 1) % 3  # four that the teacher alone has right
    own[wrong[:1]] = labels[wrong[:1]]
    found = measure_beside_teacher(taught_recipe(tiny_recipe), rows, [teacher_release], np.eye(3)[own])
    assert found is not None and len(right) >= 4 and len(wrong) >= 1
    assert (found.teacher_alone, found.student_alone) == (4, 1)
    assert found.accuracy == pytest.approx(len(right) / len(rows)) and found.rows == len(rows)
    assert found.agreement == pytest.approx(1 - 5 / len(rows)) and found.p == mcnemar(1, 4)
    assert found.accuracy_interval.low < found.accuracy < found.accuracy_interval.high


def test_without_a_teacher_there_is_nothing_to_compare(tiny_recipe: Recipe) -> None:
    assert measure_beside_teacher(tiny_recipe, load_splits(tiny_recipe).test, [], np.eye(3)) is None


def test_with_answers_that_lack_a_row_nothing_is_compared(
    tiny_recipe: Recipe, teacher_release: Path, tmp_path: Path
) -> None:
    splits = load_splits(tiny_recipe)
    student = taught_recipe(tiny_recipe)
    assert student.distillation is not None
    plan = student.distillation.model_copy(update={"answers": str(tmp_path)})
    student = student.model_copy(update={"distillation": plan, "home": tmp_path})
    own = np.eye(3)[class_numbers(splits.test, tiny_recipe.labels)]
    for asked, compared in ((splits.test[1:], False), (splits.test[:1], True)):
        texts = [row.text for row in asked]
        answers = dict(zip(texts, run_model(teacher_release, texts), strict=True))
        table = write_answers(student, student.teachers[0], teacher_release, splits, answers)
        found = measure_beside_teacher(student, splits.test, [table], own)
        assert (found is not None) == compared


@pytest.mark.parametrize(
    ("alone", "count", "said"),
    [
        ((61, 20), 1, "The teacher is right more often, by more than chance (McNemar's exact p 5.7e-06)."),
        ((61, 20), 2, "The teachers together are right more often, by more than chance"),
        ((20, 61), 1, "The student is right more often, by more than chance (McNemar's exact p 5.7e-06)."),
        ((31, 30), 1, "Neither is right more often by more than chance (McNemar's exact p 1.0000)."),
    ],
)
def test_the_card_says_who_is_right_more_often(
    alone: tuple[int, int], count: int, said: str, recipe: Recipe, metrics: Metrics, card: str
) -> None:
    taught_by = taught_recipe(recipe, count)
    figures: dict[str, Any] = {"teacher_alone": alone[0], "student_alone": alone[1], "p": mcnemar(*alone)}
    taught = BesideTeacher(
        rows=400, accuracy=0.875, accuracy_interval=Interval(0.845, 0.91), agreement=0.795, **figures
    )
    found = metrics.model_copy(update={"beside_teacher": taught})
    text = build_card(taught_by, found)
    assert f"Both give the same answer to 79.5 % of the rows. {said}" in text
    names = "big-0" if count == 1 else "big-0, big-1, mean of their probabilities"
    assert f"| {names} | 87.5 % (84.5 to 91.0) | {alone[0]} |" in text
    assert lint_card(text, found, None, taught_by) == []
    assert "### Beside its teacher" not in card
