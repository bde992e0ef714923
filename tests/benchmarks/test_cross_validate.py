from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import cross_validate
from benchmarks.counts import Folds, count, pool, read_folds
from benchmarks.cross_validate import (
    compare,
    main,
    part_of,
    read_predictions,
    render,
    run_fold,
    run_missing,
)
from finsent.data.rows import Row
from finsent.data.splits import load_splits
from finsent.errors import FinsentError, RecipeError
from finsent.recipe.data import Fold
from finsent.recipe.file import dump_recipe, load_recipe
from finsent.recipe.recipe import Recipe
from finsent.scoring import score
from tests import tiny

LABELS = ["negative", "neutral", "positive"]
EXTRA_ROW = "Gamma profit rose to EUR 9 million,positive,earnings,\r\n"
EMPTY = Folds(recipe="tiny", made_from="", rows="", folds=3)


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
    folds = EMPTY.model_copy()
    folds.runs = {str(index): count(part, tiny_recipe) for index, part in enumerate(parts)}
    whole = pandas.concat(parts)
    expected = score(whole[["p0", "p1", "p2"]].to_numpy(), whole["label"].to_numpy(), LABELS, 200, 0)
    found = pool(folds, 200)["rows"]
    assert (found.rows, found.accuracy) == (120, expected.accuracy)
    assert found.macro_f1 == pytest.approx(expected.macro_f1)
    assert found.ece == pytest.approx(expected.ece, abs=1e-4)
    assert found.accuracy_interval == expected.accuracy_interval
    assert found.macro_f1_interval == expected.macro_f1_interval


def test_rows_of_several_seeds_count_once(tiny_recipe: Recipe) -> None:
    half = count(predictions([0, 1, 2, 2], [0, 1, 0, 0]), tiny_recipe)
    most = count(predictions([0, 1, 2, 2], [0, 1, 2, 0]), tiny_recipe)
    other = {"more": most["rows"]}  # a fold in which the first source has no row
    one = EMPTY.model_copy(update={"runs": {"0": most}})
    same = EMPTY.model_copy(update={"runs": {"0": most, "0-seed-2": most}})
    assert pool(same, 200) == pool(one, 200)
    uneven = EMPTY.model_copy(update={"runs": {"0": half, "0-seed-2": most, "1": most, "2": other}})
    found = pool(uneven, 200)
    assert (found["rows"].rows, found["rows"].accuracy) == (8, (2.5 + 3) / 8)
    assert (found["more"].rows, found["more"].accuracy) == (4, 0.75)


def test_the_page_says_which_fold_the_recipe_was_chosen_by(tiny_recipe: Recipe) -> None:
    folds = EMPTY.model_copy(update={"runs": {"0": count(predictions([0, 1], [0, 2]), tiny_recipe)}})
    assert "chosen by" not in render(tiny_recipe, folds)
    page = render(tiny_recipe, folds.model_copy(update={"chosen_on": "0"}))
    assert "\nThe recipe was chosen by scores on fold 0, so its rows flatter it.\n" in page


class Trainer:
    """Stands in for train.py: notes what it was to make, and leaves a release that is never looked into."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.fails = False
        monkeypatch.setattr("benchmarks.cross_validate.subprocess.run", self.run)
        monkeypatch.setattr("benchmarks.cross_validate.predict_rows", self.predict)

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.made.append(Path(command[2]).stem)
        return subprocess.CompletedProcess(command, int(self.fails))

    def predict(self, recipe: Recipe, rows: list[Row], release: Path) -> pandas.DataFrame:
        labels = [recipe.labels.index(row.label) for row in rows]
        return predictions([0] * len(rows), labels)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return Trainer(monkeypatch)


def test_folds_add_up_over_days(tiny_recipe: Recipe, tmp_path: Path, trainer: Trainer) -> None:
    for chosen in ([0], [0, 1]):
        folds = run_missing(tiny_recipe, tmp_path, tmp_path / "runs", 3, chosen, [None])
    assert trainer.made == ["tiny-0-of-3", "tiny-1-of-3"]
    assert read_folds(tmp_path / "tiny.json") == folds
    page = (tmp_path / "tiny.md").read_text(encoding="utf-8")
    assert page == render(tiny_recipe, folds)
    assert "these were run, and scored with the quantized file: 0, 1." in page


@pytest.mark.parametrize("what", ["recipe", "rows", "folds"])
def test_counts_of_something_else_are_neither_added_to_nor_lost(
    what: str, tiny_recipe: Recipe, tmp_path: Path, trainer: Trainer
) -> None:
    run_missing(tiny_recipe, tmp_path, tmp_path / "runs", 3, [0], [None])
    kept = (tmp_path / "tiny.json").read_bytes()
    recipe, of = tiny_recipe, 3
    if what == "recipe":
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 9})})
    elif what == "rows":
        table = Path(str(recipe.home)) / "rows.csv"
        table.write_text(table.read_text(encoding="utf-8") + EXTRA_ROW, encoding="utf-8")
    else:
        of = 4
    with pytest.raises(FinsentError, match=r"tiny.json: its 1 runs are of another kind .* move it away"):
        run_missing(recipe, tmp_path, tmp_path / "runs", of, [1], [None])
    assert (tmp_path / "tiny.json").read_bytes() == kept
    (tmp_path / "tiny.json").unlink()
    run_missing(recipe, tmp_path, tmp_path / "runs", of, [0], [None])
    assert len(trainer.made) == 2  # what the other one predicted is not taken for its own
    if of == 3:
        assert (
            len(list((tmp_path / "runs" / "tiny-0-of-3").glob("*.parquet"))) == 1
        )  # nor compared by --against


def test_a_fold_that_fails_leaves_the_others(tiny_recipe: Recipe, tmp_path: Path, trainer: Trainer) -> None:
    run_missing(tiny_recipe, tmp_path, tmp_path / "runs", 3, [0], [None])
    trainer.fails = True
    with pytest.raises(FinsentError, match=r"tiny-1-of-3: train.py failed"):
        run_missing(tiny_recipe, tmp_path, tmp_path / "runs", 3, [0, 1], [None])
    assert list(read_folds(tmp_path / "tiny.json").runs) == ["0"]
    (tmp_path / "tiny.json").write_text("{", encoding="utf-8")
    with pytest.raises(FinsentError, match=r"tiny.json: holds no counts of folds"):
        read_folds(tmp_path / "tiny.json")


def test_predictions_are_those_of_the_named_recipe(tmp_path: Path) -> None:
    for folder in ("tiny-0-of-3", "tiny-1-of-3-seed-2", "tiny-open-0-of-3", "tiny-0-of-30"):
        (tmp_path / folder).mkdir()
        frame = predictions([0], [0]).assign(row=folder)
        frame.to_parquet(tmp_path / folder / "predictions-0.parquet")
    found = read_predictions("tiny", 3, tmp_path)
    assert list(found["row"]) == ["tiny-0-of-3", "tiny-1-of-3-seed-2"]
    with pytest.raises(FinsentError, match="no fold of other has left its predictions"):
        read_predictions("other", 3, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recipes/none.yaml"], "recipes/none.yaml: cannot be read"),
        (["recipes/quickstart.yaml", "--only", "7"], "--only: got '7', allowed are numbers below 5"),
        (["recipes/quickstart.yaml", "--seeds", "a"], "--seeds: got 'a'"),
        (
            ["recipes/quickstart.yaml", "--chosen-on", "5"],
            "--chosen-on: got '5', allowed is one number",
        ),
        (["recipes/quickstart.yaml", "--chosen-on", "0,1"], "--chosen-on: got '0,1'"),
    ],
)
def test_a_slip_is_answered_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()
    app.command()(main)
    with pytest.raises(SystemExit) as end:
        app(arguments)
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cross_validate: {said}")


@pytest.mark.parametrize("folds", ["1", "101"])
def test_so_many_folds_are_refused(folds: str) -> None:
    done = CliRunner().invoke(cross_validate.app, ["recipes/quickstart.yaml", "--folds", folds])
    assert done.exit_code == 2 and "Invalid value for '--folds'" in done.stderr


@pytest.mark.slow
def test_a_fold_is_run_once(tiny_recipe: Recipe, tmp_path: Path) -> None:
    part = part_of(tiny_recipe, Fold(index=0, of=3), None)
    first = run_fold(part, tmp_path / "runs")
    assert len(first) == len(load_splits(part).test)
    (tmp_path / "runs" / part.name / "release" / "onnx" / "model_quantized.onnx").unlink()
    assert run_fold(part, tmp_path / "runs").equals(first)
