from __future__ import annotations

from pathlib import Path

from finsent.recipe.file import load_recipe
from tests.tuning import samples
from tuning.best import write_best
from tuning.setup import prepare_setup


def test_the_best_is_a_recipe_that_extends_the_first_and_makes_what_was_scored(
    tmp_path: Path, tiny_base: Path
) -> None:
    setup = prepare_setup(*samples.read_search(tmp_path, tiny_base), None)
    place = tmp_path / "runs" / "tiny-search" / "best.yaml"
    place.parent.mkdir(parents=True)
    report = samples.make_report()
    recipe = write_best(setup, report, place)
    text = place.read_text(encoding="utf-8")
    assert text.startswith("# Written by tune.py: trial 5 of 5;") and "extends: ../../tiny.yaml\n" in text
    assert str(tmp_path) not in text
    assert recipe.name == "tiny-tuned" and load_recipe(place) == recipe
    trial = setup.recipe_with(report.best.settings)
    beside = write_best(setup, report, tmp_path / "best.yaml")  # places are as seen from the file
    assert beside.making_fingerprint() == trial.making_fingerprint() != setup.recipe.making_fingerprint()
    assert recipe.training == trial.training


def test_a_folder_beside_the_first_recipe_is_found_from_the_best(tmp_path: Path, tiny_base: Path) -> None:
    setup = prepare_setup(*samples.read_search(tmp_path, tiny_base), None)
    (tmp_path / "other").symlink_to(tiny_base)
    place = tmp_path / "runs" / "tiny-search" / "best.yaml"
    place.parent.mkdir(parents=True)
    report = samples.make_report()
    best = report.best.model_copy(update={"settings": {"base.path": "other"}})
    recipe = write_best(setup, report.model_copy(update={"best": best}), place)
    assert recipe.base.path is not None and recipe.home is not None
    assert (recipe.home / recipe.base.path).resolve() == tiny_base.resolve()


def test_where_nothing_was_better_nothing_is_changed(tmp_path: Path, tiny_base: Path) -> None:
    setup = prepare_setup(*samples.read_search(tmp_path, tiny_base), None)
    report = samples.make_report()
    recipe = write_best(setup, report.model_copy(update={"best": report.start}), tmp_path / "best.yaml")
    assert recipe.making_fingerprint() == setup.recipe.making_fingerprint()
    assert "none of 5 trials was better" in (tmp_path / "best.yaml").read_text(encoding="utf-8")
