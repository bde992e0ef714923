from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from finsent.errors import DataError, RecipeError
from finsent.preparation import prepare_splits, prepare_teacher_splits, prepare_transfer
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny

NEWS = ["Arvo profit rose this quarter. Fynto buys a mill.", "The ferry was late. Fynto sells a mill."]


def write_taught(folder: Path, teacher: dict[str, object], **plan: object) -> Recipe:
    """Return a student of the tiny rows whose teacher has these keys beside."""
    tiny.write_recipe(folder, folder)
    tree = {"extends": "tiny.yaml", "name": "teacher"} | teacher
    (folder / "teacher.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    student = {
        "extends": "tiny.yaml",
        "name": "student",
        "distillation": {"teachers": ["teacher.yaml"]} | plan,
    }
    if plan:
        (folder / "news.txt").write_text("\n".join(NEWS), encoding="utf-8")
        news = {"name": "news", "title": "News", "licence": "mit", "path": ".", "files": ["news.txt"]}
        student["data"] = {"unlabelled": [news | {"sentences": "en", "min_characters": 17}]}
    (folder / "student.yaml").write_text(yaml.safe_dump(student), encoding="utf-8")
    return load_recipe(folder / "student.yaml")


def with_source(folder: Path, texts: list[str]) -> dict[str, object]:
    """Return keys of a teacher that has these texts beside the tiny rows."""
    rows = [{"text": text, "label": "positive"} for text in texts]
    tiny.write_csv(folder / "more.csv", rows)
    source = tiny.recipe_tree(folder, folder)["data"]["sources"][0]
    more = {key: source[key] for key in ("kind", "title", "licence", "path", "labels")}
    more |= {"name": "more", "files": {"train": ["more.csv"]}}
    return {"data": {"sources": [source, more]}}


@pytest.mark.parametrize("plan", [{}, {"transfer": 10}])  # texts without labels are no rows
def test_a_teacher_of_the_same_rows_is_given_its_student_s_splits(
    tmp_path: Path, plan: dict[str, object]
) -> None:
    student = write_taught(tmp_path, {}, **plan)
    splits = prepare_splits(student, None)
    assert prepare_teacher_splits(student.teachers[0], student, splits, None) is splits


def test_a_teacher_may_have_more_sources(tmp_path: Path) -> None:
    student = write_taught(tmp_path, with_source(tmp_path, ["Gamma signs a contract", "Gamma wins a prize"]))
    splits = prepare_splits(student, None)
    own = prepare_teacher_splits(student.teachers[0], student, splits, None)
    assert {row.source for row in own.train} >= {"rows"}
    assert len(own.train) + len(own.validation) + len(own.test) == 2 + sum(
        len(part) for part in (splits.train, splits.validation, splits.test)
    )


def test_a_teacher_that_learnt_from_its_student_s_test_rows_is_refused(tmp_path: Path) -> None:
    student = write_taught(tmp_path, {"data": {"test": 0.0001, "validation": 0.0001}})
    splits = prepare_splits(student, None)
    with pytest.raises(
        DataError, match=r"teacher: \d+ of its training rows .* test rows of student, such as '"
    ):
        prepare_teacher_splits(student.teachers[0], student, splits, None)


def test_texts_to_transfer_are_sentences_that_no_row_is(tmp_path: Path) -> None:
    student = write_taught(tmp_path, {}, transfer=10)
    found = prepare_transfer(student, prepare_splits(student, None), None)
    assert found is not None
    assert sorted(found.texts) == ["Fynto buys a mill.", "Fynto sells a mill.", "The ferry was late."]
    assert (found.repeated, found.near) == (1, 0)
    assert prepare_transfer(student.teachers[0], prepare_splits(student, None), None) is None


def test_texts_to_transfer_need_a_source(tmp_path: Path) -> None:
    write_taught(tmp_path, {}, transfer=10)
    path = tmp_path / "student.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    del tree["data"]
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"distillation\.transfer: uses texts of data\.unlabelled"):
        load_recipe(path)


def test_what_only_a_teacher_learnt_counts_for_the_licence_and_the_card(tmp_path: Path) -> None:
    student = write_taught(tmp_path, with_source(tmp_path, ["Gamma signs a contract"]), transfer=10)
    assert [origin.name for origin in student.origins] == ["rows", "news", "more"]
