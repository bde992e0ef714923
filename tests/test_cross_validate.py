from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from benchmarks.cross_validate import compare, part_of, render, run_fold, score_sources
from finsent.data import load_splits
from finsent.errors import RecipeError
from finsent.recipe import Fold, Recipe
from finsent.recipe_file import dump_recipe, load_recipe
from tests import tiny


def predictions(chosen: list[int], labels: list[int]) -> pandas.DataFrame:
    rows = [
        {"row": str(index), "source": "rows", "slice": "", "label": label}
        | {f"p{place}": float(place == choice) for place in range(3)}
        for index, (choice, label) in enumerate(zip(chosen, labels, strict=True))
    ]
    return pandas.DataFrame(rows)


def test_the_folds_are_all_rows_each_once(tiny_recipe: Recipe) -> None:
    whole = load_splits(tiny_recipe)
    every = {row.text for row in whole.train + whole.validation + whole.test}
    folds = [load_splits(part_of(tiny_recipe, Fold(index=index, of=3), None)) for index in range(3)]
    tested = [row.text for fold in folds for row in fold.test]
    assert len(tested) == len(set(tested)) == len(every)
    for fold in folds:
        assert {row.text for row in fold.train + fold.validation} == every - {row.text for row in fold.test}


def test_a_fold_ignores_the_files_of_splits(tiny_recipe: Recipe) -> None:
    source = tiny_recipe.data.sources[0].model_copy(update={"files": {"test": ["rows.csv"]}})
    data = tiny_recipe.data.model_copy(update={"sources": [source]})
    splits = load_splits(part_of(tiny_recipe.model_copy(update={"data": data}), Fold(index=0, of=3), None))
    assert len(splits.train) > len(splits.test) > 0


def test_teachers_follow_into_the_fold(tmp_path: Path, tiny_base: Path) -> None:
    path = tiny.write_recipe(tmp_path, tiny_base)
    student = tmp_path / "student.yaml"
    student.write_text(f"extends: {path.name}\nname: student\ndistillation: {{teachers: [{path.name}]}}\n")
    part = part_of(load_recipe(student), Fold(index=1, of=3), 8)
    copy = tmp_path / "part.yaml"
    copy.write_text(dump_recipe(part), encoding="utf-8")
    assert load_recipe(copy) == part  # the validator holds that teachers have the same rows
    assert (part.name, part.teachers[0].name) == ("student-1-of-3-seed-8", "tiny-1-of-3")
    assert (part.training_seed, part.teachers[0].training_seed) == (8, 1)


def test_a_fold_that_is_none_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tiny_base)
    path = tiny.write_recipe(tmp_path, tiny_base, data=tree["data"] | {"fold": {"index": 3, "of": 3}})
    with pytest.raises(RecipeError, match="index must be below of, got 3 of 3"):
        load_recipe(path)


def test_two_recipes_are_compared_row_by_row() -> None:
    ours, theirs = predictions([0, 1, 2, 2], [0, 1, 2, 0]), predictions([1, 1, 0, 0], [0, 1, 2, 0])
    assert compare(ours, theirs) == {"rows": (2, 1, 1.0)}
    assert compare(ours, ours) == {"rows": (0, 0, 1.0)}


def test_the_page_holds_what_was_scored(tiny_recipe: Recipe) -> None:
    found = predictions([0, 1, 2, 2], [0, 1, 2, 0])
    assert score_sources(found, tiny_recipe)["rows"].accuracy == 0.75
    assert "| rows | 4 | 0.750 (" in render(tiny_recipe, [tiny_recipe], found)


@pytest.mark.slow
def test_a_fold_is_run_once(tiny_recipe: Recipe, tmp_path: Path) -> None:
    part = part_of(tiny_recipe, Fold(index=0, of=3), None)
    first = run_fold(part, tmp_path / "runs")
    assert len(first) == len(load_splits(part).test)
    (tmp_path / "runs" / part.name / "release" / "onnx" / "model_quantized.onnx").unlink()
    assert run_fold(part, tmp_path / "runs").equals(first)
