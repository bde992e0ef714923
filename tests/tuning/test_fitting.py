from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuning import samples
from tuning.fitting import StoppedEarly, fit_recipe
from tuning.setup import Setup, prepare_setup


@pytest.fixture
def setup(tmp_path: Path, tiny_base: Path) -> Setup:
    search, recipe = samples.read_search(tmp_path, tiny_base)
    return prepare_setup(search, recipe, None)


def test_a_judge_is_told_of_every_validation_and_can_stop_at_any_but_the_last(
    setup: Setup, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, float]] = []

    def judge(percent: int, score: float) -> bool:
        told.append((percent, score))
        return percent == stop_at

    stop_at = 100
    _, report = fit_recipe(setup, setup.recipe, tmp_path / "checkpoints", judge)
    assert [percent for percent, _ in told] == [25, 50, 75, 100]
    assert report.validation_macro_f1 == pytest.approx(max(score for _, score in told))
    whole, stop_at = list(told), 50
    told.clear()
    with pytest.raises(StoppedEarly):
        fit_recipe(setup, setup.recipe, tmp_path / "checkpoints", judge)
    assert told == whole[:2]
    assert "macro F1" not in capfd.readouterr().err  # the table of trials has the terminal


def test_settings_go_into_the_recipe_and_a_seed_beside_them(setup: Setup) -> None:
    recipe = setup.recipe_with({samples.RATE: 0.002, samples.ROWS: 4}, seed=9)
    assert (recipe.training.learning_rate, recipe.training.batch_size, recipe.training_seed) == (0.002, 4, 9)
    assert recipe.training.epochs == setup.recipe.training.epochs
    assert recipe.home == setup.recipe.home
