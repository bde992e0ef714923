from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest

from benchmarks.counts import Folds, count, pool, read_folds
from benchmarks.cross_validate import compare, part_of, render, run_fold, run_missing
from finsent.data import load_splits
from finsent.errors import RecipeError
from finsent.recipe import Fold, Recipe
from finsent.recipe_file import dump_recipe, load_recipe
from finsent.scoring import score
from tests import tiny

LABELS = ["negative", "neutral", "positive"]


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
    student.write_text(
        f"extends: {path.name}\nname: student\ndistillation: {{teachers: [{path.name}], seeds: [6, 7]}}\n"
    )
    part = part_of(load_recipe(student), Fold(index=1, of=3), 8)
    copy = tmp_path / "part.yaml"
    copy.write_text(dump_recipe(part), encoding="utf-8")
    assert load_recipe(copy) == part  # the validator holds that teachers have the same rows
    assert part.name == "student-1-of-3-seed-8"
    assert [teacher.name for teacher in part.teachers] == ["tiny-1-of-3-seed-6", "tiny-1-of-3-seed-7"]
    assert [part.training_seed, *(teacher.training_seed for teacher in part.teachers)] == [8, 6, 7]


def test_a_fold_that_is_none_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tiny_base)
    path = tiny.write_recipe(tmp_path, tiny_base, data=tree["data"] | {"fold": {"index": 3, "of": 3}})
    with pytest.raises(RecipeError, match="index must be below of, got 3 of 3"):
        load_recipe(path)


def test_two_recipes_are_compared_row_by_row() -> None:
    ours, theirs = predictions([0, 1, 2, 2], [0, 1, 2, 0]), predictions([1, 1, 0, 0], [0, 1, 2, 0])
    assert compare(ours, theirs) == {"rows": (2, 1, 1.0)}
    assert compare(ours, ours) == {"rows": (0, 0, 1.0)}


def test_counts_of_folds_give_what_their_rows_together_give(tiny_recipe: Recipe) -> None:
    draw = np.random.default_rng(3)
    parts = []
    for _ in range(3):
        part = predictions([0] * 40, draw.integers(3, size=40).tolist())
        part[["p0", "p1", "p2"]] = draw.dirichlet([1, 1, 1], size=40)
        parts.append(part)
    folds = Folds(recipe="tiny", fingerprint="", folds=3)
    folds.runs = {str(index): count(part, tiny_recipe) for index, part in enumerate(parts)}
    whole = pandas.concat(parts)
    expected = score(whole[["p0", "p1", "p2"]].to_numpy(), whole["label"].to_numpy(), LABELS, 200, 5)
    found = pool(folds, 200, 5)["rows"]
    assert (found.rows, found.accuracy) == (120, expected.accuracy)
    assert found.macro_f1 == pytest.approx(expected.macro_f1)
    assert found.ece == pytest.approx(expected.ece, abs=1e-4)
    assert found.accuracy_interval == expected.accuracy_interval
    assert found.macro_f1_interval == expected.macro_f1_interval


def test_rows_of_several_seeds_count_once(tiny_recipe: Recipe) -> None:
    counts = count(predictions([0, 1, 2, 2], [0, 1, 2, 0]), tiny_recipe)
    one = Folds(recipe="tiny", fingerprint="", folds=3, runs={"0-seed-1": counts})
    two = Folds(recipe="tiny", fingerprint="", folds=3, runs={"0-seed-1": counts, "0-seed-2": counts})
    assert pool(two, 200, 1) == pool(one, 200, 1)


def test_folds_add_up_over_days_and_start_anew_with_another_recipe(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[str] = []

    def run_fold(part: Recipe, runs: Path) -> pandas.DataFrame:
        run.append(part.name)
        return predictions([0, 1, 2, 2], [0, 1, 2, 0])

    monkeypatch.setattr("benchmarks.cross_validate.run_fold", run_fold)
    for chosen in ([0], [0, 1]):
        folds = run_missing(tiny_recipe, tmp_path, tmp_path, 3, chosen, [None])
    assert run == ["tiny-0-of-3", "tiny-1-of-3"]
    assert read_folds(tmp_path / "tiny.json", tiny_recipe, 3) == folds
    page = (tmp_path / "tiny.md").read_text(encoding="utf-8")
    assert page == render(tiny_recipe, folds)
    assert "| rows | 8 | 0.750 (" in page
    other = tiny_recipe.model_copy(update={"seed": 99})
    assert list(run_missing(other, tmp_path, tmp_path, 3, [2], [None]).runs) == ["2"]


@pytest.mark.slow
def test_a_fold_is_run_once(tiny_recipe: Recipe, tmp_path: Path) -> None:
    part = part_of(tiny_recipe, Fold(index=0, of=3), None)
    first = run_fold(part, tmp_path / "runs")
    assert len(first) == len(load_splits(part).test)
    (tmp_path / "runs" / part.name / "release" / "onnx" / "model_quantized.onnx").unlink()
    assert run_fold(part, tmp_path / "runs").equals(first)
