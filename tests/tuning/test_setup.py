from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from finsent.data.splits import load_splits
from finsent.errors import FinsentError
from finsent.recipe.file import load_recipe, load_search
from tests import tiny
from tests.tuning import samples
from tuning.finals import run_final
from tuning.setup import Setup, find_teacher, find_teacher_release, prepare_setup, read_recipe
from tuning.trials import run_trial


def test_trials_may_be_added_and_nothing_else_may_change(tmp_path: Path, tiny_base: Path) -> None:
    search, recipe = samples.read_search(tmp_path, tiny_base)
    setup = prepare_setup(search, recipe, None)
    more = search.model_copy(update={"trials": 9, "finalists": 1, "seeds": 5})
    assert Setup(more, recipe, setup.splits, [], None).owner() == setup.owner()
    others = [
        Setup(search.model_copy(update={"seed": 1}), recipe, setup.splits, [], None),
        Setup(search.model_copy(update={"space": {}}), recipe, setup.splits, [], None),
        Setup(search, setup.recipe_with({"training.epochs": 2.0}), setup.splits, [], None),
    ]
    assert setup.owner() not in [one.owner() for one in others]


def test_a_recipe_that_is_changed_during_a_search_ends_it(tmp_path: Path, tiny_base: Path) -> None:
    search, recipe = samples.read_search(tmp_path, tiny_base)
    setup = prepare_setup(search, recipe, None)
    setup.check_unchanged()
    tiny.write_recipe(tmp_path, tiny_base, training=samples.SHORT)
    nothing: Any = None  # no trial is asked for, and nothing is shown
    for go_on in (
        setup.check_unchanged,
        lambda: run_trial(setup, nothing, tmp_path, nothing),
        lambda: run_final(setup, {}, 1, tmp_path, tmp_path),
    ):
        with pytest.raises(FinsentError, match=r"tiny\.yaml was changed during the search; undo the change"):
            go_on()


def test_a_search_that_names_no_keys_gets_those_around_its_recipe(tmp_path: Path, tiny_base: Path) -> None:
    search, _ = read_recipe(load_search(tiny.write_recipe(tmp_path, tiny_base)), tmp_path / "runs")
    assert search.space["training.learning_rate"].values == pytest.approx([0.0013, 0.02], rel=0.05)
    assert search.space["training.epochs"].values == [4, 16]
    assert search.space["training.batch_size"].values == [4, 8, 16]
    assert set(search.space) >= {"training.label_smoothing", "training.dropout"}


@pytest.mark.parametrize(
    ("name", "whose"), [("tiny", "the recipe"), ("tiny-tuned", "the best recipe that it writes")]
)
def test_a_search_has_a_name_of_its_own(name: str, whose: str, tmp_path: Path, tiny_base: Path) -> None:
    path = samples.write_search(tmp_path, tiny_base, name=name)
    with pytest.raises(FinsentError, match=f"name: '{name}' is the name of {whose}, too"):
        read_recipe(load_search(path), tmp_path / "runs")


def test_a_search_does_not_share_the_folder_of_a_teacher(tmp_path: Path, tiny_base: Path) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    student = "extends: tiny.yaml\nname: student\ndistillation: {teachers: [tiny.yaml]}\n"
    (tmp_path / "student.yaml").write_text(student, encoding="utf-8")
    path = samples.write_search(tmp_path, tiny_base, name="tiny", recipe="student.yaml")
    with pytest.raises(FinsentError, match="'tiny' is the name of a teacher, too"):
        read_recipe(load_search(path), tmp_path / "runs")


def test_a_teacher_is_found_or_its_absence_is_told(
    tmp_path: Path, tiny_base: Path, tiny_release: Path
) -> None:
    teacher = tiny.write_recipe(tmp_path, tiny_base)
    student = tmp_path / "student.yaml"
    student.write_text(
        f"extends: {teacher.name}\nname: student\ndistillation: {{teachers: [{teacher.name}]}}\n",
        encoding="utf-8",
    )
    search = samples.write_search(tmp_path, tiny_base, recipe=student.name)
    started, recipe = read_recipe(load_search(search), tmp_path / "runs")
    with pytest.raises(FinsentError, match=r"build student with train\.py first"):
        prepare_setup(started, recipe, None)
    assert recipe.distillation is not None
    written = recipe.distillation.model_copy(update={"answers": "said"})
    with pytest.raises(FinsentError, match=r"build student with train\.py --write-answers first"):
        find_teacher_release(
            recipe.teachers[0],
            recipe.model_copy(update={"distillation": written}),
            load_splits(recipe),
            None,
        )
    home = tmp_path / "runs" / "tiny" / "release"
    shutil.copytree(tiny_release, home)
    made = load_recipe(tiny_release.parents[2] / "tiny.yaml")
    splits = prepare_setup(*samples.read_search(tmp_path, tiny_base), None).splits
    assert find_teacher(made, recipe, splits, None) == home
