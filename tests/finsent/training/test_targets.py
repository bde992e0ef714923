from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finsent.data.rows import Row
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.targets import row_targets, training_rows, validation_rows
from finsent.training.teachers import ask_teachers
from tests import tiny


def row(label: str, probability: float = 1.0) -> Row:
    return Row(f"a {label} text", label, "s", "train", label_probability=probability)


def test_a_target_is_the_annotators_share_and_the_rest_is_even() -> None:
    targets = row_targets([row("positive", 0.7), row("negative")], tiny.LABELS)
    assert targets == pytest.approx(np.array([[0.15, 0.15, 0.7], [1, 0, 0]]))


def test_validation_rows_are_certain_whatever_the_annotators_said() -> None:
    assert validation_rows([row("positive", 0.6)], tiny.LABELS)["label"][:] == [[0, 0, 1]]


def test_variants_and_texts_without_labels_are_labelled_by_the_teacher_alone(
    tiny_base: Path, teacher_release: Path, tmp_path: Path
) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    plan = {"teachers": ["tiny.yaml"], "weight": 0.5, "augmentations": 2, "opposites": [["buys", "sells"]]}
    recipe = taught_recipe(tmp_path, tiny_base, plan)
    rows = [row("positive"), replace(row("negative"), text="Fynto sells")]
    made, report = training_rows(recipe, rows, [teacher_release], ["Fynto buys a mill"])
    assert report is None  # of written answers there are none
    assert made["text"][:2] == [one.text for one in rows]
    assert len(made["text"]) == 8 and made["text"][-2:] == ["Fynto buys", "Fynto buys a mill"]
    taught = ask_teachers([teacher_release], list(made["text"]), tiny.LABELS, 1.0)
    assert np.array(made["label"][2:]) == pytest.approx(taught[2:])
    assert np.array(made["label"][:2]) == pytest.approx((taught[:2] + np.array([[0, 0, 1], [1, 0, 0]])) / 2)


def taught_recipe(folder: Path, base: Path, plan: dict[str, object]) -> Recipe:
    path = tiny.write_recipe(folder, base)
    student = folder / "student.yaml"
    student.write_text(f"extends: {path.name}\nname: student\ndistillation: {plan!r}\n", encoding="utf-8")
    return load_recipe(student)
