from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from finsent.data.splits import Splits, load_splits
from finsent.errors import FinsentError, RecipeError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.answers import find_answers, read_answers, write_answers
from finsent.training.targets import asked_texts, training_rows
from finsent.training.teachers import ask_teachers, run_model
from tests import tiny

OTHER = "written by another recipe than tiny is today"


def write_student(folder: Path, base: Path, **plan: object) -> Recipe:
    tiny.write_recipe(folder, base)
    plan = {"teachers": ["tiny.yaml"], "answers": "said", "weight": 0.5} | plan
    tree = {"extends": "tiny.yaml", "name": "student", "distillation": plan}
    (folder / "student.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_recipe(folder / "student.yaml")


def write_all(student: Recipe, release: Path, splits: Splits, texts: list[str]) -> Path:
    answers = dict(zip(texts, run_model(release, texts), strict=True))
    return write_answers(student, student.teachers[0], release, splits, answers)


def test_what_is_written_is_read(tmp_path: Path, tiny_base: Path, teacher_release: Path) -> None:
    student = write_student(tmp_path, tiny_base)
    splits = load_splits(student)
    texts = [row.text for row in splits.train]
    table = write_all(student, teacher_release, splits, texts)
    assert table == tmp_path / "said" / "tiny.csv"
    assert find_answers(student, student.teachers[0], splits) == table
    read = read_answers(table, [*reversed(texts), "never asked"], tiny.LABELS)
    assert read[:-1] == pytest.approx(run_model(teacher_release, texts)[::-1], abs=6e-4)
    assert np.isnan(read[-1]).all()
    both = ask_teachers([table, teacher_release], texts, tiny.LABELS, 2.0)
    assert both == pytest.approx(ask_teachers([teacher_release], texts, tiny.LABELS, 2.0), abs=1e-3)


def test_a_written_table_has_no_text_and_the_same_bytes_in_any_order(
    tmp_path: Path, tiny_base: Path, teacher_release: Path
) -> None:
    student = write_student(tmp_path, tiny_base)
    splits = load_splits(student)
    texts = [row.text for row in splits.train]
    first = write_all(student, teacher_release, splits, texts).read_bytes()
    assert not any(text.encode() in first for text in texts)
    answers = dict(zip(texts, run_model(teacher_release, texts), strict=True))
    turned = dict(reversed(answers.items()))
    again = write_answers(student, student.teachers[0], teacher_release, splits, turned)
    assert again.read_bytes() == first


def test_answers_of_another_teacher_or_beside_other_rows_are_refused(
    tmp_path: Path, tiny_base: Path, teacher_release: Path
) -> None:
    student = write_student(tmp_path, tiny_base)
    splits = load_splits(student)
    teacher = student.teachers[0]
    with pytest.raises(FinsentError, match=r"tiny has no answers there that can be read; write them with"):
        find_answers(student, teacher, splits)
    table = write_all(student, teacher_release, splits, ["Arvo profit rose"])
    with pytest.raises(FinsentError, match=OTHER):
        find_answers(student, teacher.with_seed(3).model_copy(update={"name": "tiny"}), splits)
    moved = replace(splits.report, fingerprints=splits.report.fingerprints | {"test": "0"})
    with pytest.raises(FinsentError, match="other validation and test rows, which the teacher may have"):
        find_answers(student, teacher, replace(splits, report=moved))
    table.with_suffix(".json").write_text("{}", encoding="utf-8")
    with pytest.raises(FinsentError, match="tiny has no answers there that can be read"):
        find_answers(student, teacher, splits)


@pytest.mark.parametrize("content", ["", "text,negative\n0,1\n", "text,negative,neutral,positive\n0,a,b,c\n"])
def test_a_table_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.csv").write_text(content, encoding="utf-8")
    with pytest.raises(FinsentError, match=r"tiny\.csv: no table of answers with the columns \['text', 'neg"):
        read_answers(tmp_path / "tiny.csv", ["a"], tiny.LABELS)


def test_a_row_without_an_answer_keeps_its_label_and_a_copy_without_one_is_left_out(
    tmp_path: Path, tiny_base: Path, teacher_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = write_student(tmp_path, tiny_base, augmentations=1)
    splits = load_splits(student)
    rows = splits.train[:4]
    copies = asked_texts(student, rows)
    table = write_all(student, teacher_release, splits, [row.text for row in rows[1:]] + copies[:1])
    made = training_rows(student, rows, [table])
    assert made["text"][:] == [*(row.text for row in rows), copies[0]]
    assert made["label"][0] == np.eye(3)[tiny.LABELS.index(rows[0].label)].tolist()
    assert made["label"][1] != np.eye(3)[tiny.LABELS.index(rows[1].label)].tolist()
    assert "1 of 4 rows, which keep their label, and 3 of 4 other texts" in capsys.readouterr().err
    with pytest.raises(FinsentError, match="not one of the training rows has an answer"):
        training_rows(student, rows[:1], [table])


def test_answers_have_no_weights_to_start_from(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(RecipeError, match="got teacher with answers, which hold no weights; use base"):
        write_student(tmp_path, tiny_base, initialize_from="teacher")
