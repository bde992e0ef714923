from __future__ import annotations

from pathlib import Path

import pytest

from finsent.errors import RecipeError
from finsent.recipe.file import load_recipe
from tests.finsent.recipe.samples import write_taught


def test_a_teacher_is_one_a_seed_where_seeds_are_given(tmp_path: Path) -> None:
    path = write_taught(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("]}", "], seeds: [3, 4]}"), encoding="utf-8")
    found = [(teacher.name, teacher.training_seed) for teacher in load_recipe(path).teachers]
    assert found == [("teacher-seed-3", 3), ("teacher-seed-4", 4)]
    path.write_text(path.read_text(encoding="utf-8").replace("[3, 4]", "[3, 3]"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"distillation.seeds: seeds must differ, got \[3, 3\]"):
        load_recipe(path)


def test_a_teacher_whose_rows_are_drawn_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"teacher has another seed than student; it must be the same"):
        load_recipe(write_taught(tmp_path, seed=2))


def test_a_teacher_needs_a_name_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"names must differ, .* \['student', 'student'\]"):
        load_recipe(write_taught(tmp_path, name="student"))


def test_a_start_from_another_base_is_refused(tmp_path: Path) -> None:
    path = write_taught(tmp_path, base={"licence": "cc-by-nc-4.0"})
    path.write_text(
        path.read_text(encoding="utf-8").replace("]}", "], initialize_from: teacher}"), encoding="utf-8"
    )
    with pytest.raises(RecipeError, match=r"distillation\.initialize_from: teacher comes from another base"):
        load_recipe(path)


def test_the_words_of_a_card_make_no_other_weights(tmp_path: Path) -> None:
    recipe = load_recipe(write_taught(tmp_path))
    reworded = recipe.model_copy(update={"card": recipe.card.model_copy(update={"summary": "x"})})
    explicit = load_recipe(write_taught(tmp_path, training={"weight_decay": 0.01}))  # what it is anyway
    assert reworded.making_fingerprint() == recipe.making_fingerprint() == explicit.making_fingerprint()
    assert reworded.fingerprint() != recipe.fingerprint()
    other = load_recipe(write_taught(tmp_path, training={"weight_decay": 0.02}))  # of the teacher
    assert other.making_fingerprint() != recipe.making_fingerprint()
    assert recipe.with_seed(5).making_fingerprint() != recipe.making_fingerprint()
