"""The trials as optuna keeps them; tests/test_tune.py runs this file where optuna is installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from finsent.errors import BaseModelError, FinsentError
from finsent.recipe.recipe import Recipe
from tests.tuning import samples
from tests.tuning.samples import RATE, ROWS
from tuning import trials
from tuning.finals import choose_finalists
from tuning.report import Trial
from tuning.setup import Setup, prepare_setup
from tuning.space import Settings
from tuning.study import open_study

pytest.importorskip("optuna", reason="is not installed here; tests/test_tune.py runs these elsewhere")
Open = Callable[..., Setup]


@pytest.fixture
def prepared(tmp_path: Path, tiny_base: Path) -> Open:
    def prepare(**changes: object) -> Setup:
        return prepare_setup(*samples.read_search(tmp_path, tiny_base, **changes), None)

    return prepare


def score(settings: Settings) -> float:
    """Return what is best at a rate of 1e-4, whatever the rows."""
    return 1 - abs(math.log10(settings[RATE]) + 4) / 10


def run(setup: Setup, place: Path, count: int, cut_at: int | None = None) -> list[Trial]:
    """Run trials; one of them is begun and left, as by a kill, and the study is opened anew."""
    study = open_study(setup, place)
    study.drop_cut_off()
    while len(study.trials()) < count:
        asked = study.ask()
        assert asked.number == len(study.trials()) + 1
        study.judge(asked, 50, score(asked.settings))
        if asked.number == cut_at:
            return run(setup, place, count)
        study.finish(asked, score(asked.settings))
    return study.trials()


def without_time(trials: list[Trial]) -> list[Trial]:
    return [trial.model_copy(update={"seconds": 0.0}) for trial in trials]


def test_a_search_that_was_cut_off_ends_in_the_same_trials(prepared: Open, tmp_path: Path) -> None:
    setup = prepared(startup=2)
    whole = run(setup, tmp_path / "whole.db", 8)
    cut = run(setup, tmp_path / "cut.db", 8, cut_at=5)
    assert len(whole) == len(cut) == 8 and without_time(cut) == without_time(whole)
    assert [trial.number for trial in cut] == list(range(1, 9))
    study = open_study(setup, tmp_path / "cut.db")
    assert study.cut_off == 1 and study.drop_cut_off() == 0
    assert len({trial.settings[RATE] for trial in whole}) == 8


def test_what_is_best_is_found_and_the_key_that_matters_is_told(prepared: Open, tmp_path: Path) -> None:
    setup = prepared(startup=5)
    trials = run(setup, tmp_path / "study.db", 25)
    best = max(trials, key=lambda one: one.score)
    assert 3e-5 < best.settings[RATE] < 3e-4
    study = open_study(setup, tmp_path / "study.db")
    shares = study.importances(25)
    assert set(shares) == {RATE, ROWS} and shares[RATE] > shares[ROWS]
    of_ten = study.importances(10)
    run(setup, tmp_path / "short.db", 10)
    assert of_ten == open_study(setup, tmp_path / "short.db").importances(10) != shares


def test_nothing_is_told_of_keys_by_too_few_trials(prepared: Open, tmp_path: Path) -> None:
    setup = prepared()
    run(setup, tmp_path / "study.db", 3)
    assert open_study(setup, tmp_path / "study.db").importances(3) == {}


def test_refused_settings_end_a_trial_and_not_the_search(
    prepared: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = prepared(trials=6, startup=2)

    def fit(_: Setup, recipe: Recipe, *__: object) -> tuple[None, SimpleNamespace]:
        if recipe.training.batch_size == 8:
            raise BaseModelError("base.layers: got 9\nand more")
        return None, SimpleNamespace(validation_macro_f1=0.5 + recipe.training.learning_rate)

    monkeypatch.setattr(trials, "fit_recipe", fit)
    found = trials.run_trials(setup, open_study(setup, tmp_path / "study.db"), tmp_path)
    states = {trial.settings[ROWS]: (trial.state, trial.reason) for trial in found}
    assert states == {4: ("done", ""), 8: ("refused", "base.layers: got 9")} and len(found) == 6
    assert "refused: base.layers: got 9: batch_size 8" in capsys.readouterr().err
    assert all(trial.state == "done" for trial in choose_finalists(found, 6))

    def refuse(*_: object) -> None:
        raise BaseModelError("no layer 9")

    monkeypatch.setattr(trials, "fit_recipe", refuse)
    with pytest.raises(FinsentError, match=r"trial 3 \(.*\): no layer 9; all trials were refused, so take"):
        trials.run_trials(setup, open_study(setup, tmp_path / "other.db"), tmp_path)


@pytest.mark.parametrize("pruner", ["median", "none"])
def test_a_trial_below_the_median_is_stopped_but_not_at_once(
    pruner: str, prepared: Open, tmp_path: Path
) -> None:
    study = open_study(prepared(startup=3, pruner=pruner), tmp_path / "study.db")
    for value in (0.5, 0.6, 0.7):
        asked = study.ask()
        assert not study.judge(asked, 20, value) and not study.judge(asked, 50, value)
        study.finish(asked, value)
    weak = study.ask()
    assert not study.judge(weak, 20, 0.1)  # warming up
    assert study.judge(weak, 50, 0.55) == (pruner == "median")
    study.stop(weak)
    assert study.trials()[-1].state == "stopped early" and study.trials()[-1].score == 0.55
    strong = study.ask()
    assert not study.judge(strong, 50, 0.65)


def test_trials_of_another_search_are_not_mixed_in(prepared: Open, tmp_path: Path) -> None:
    run(prepared(), tmp_path / "study.db", 2)
    run(prepared(trials=9), tmp_path / "study.db", 3)  # more of them may be wanted later
    with pytest.raises(FinsentError, match=r"study.db: its 3 trials were made with another recipe"):
        open_study(prepared(seed=5), tmp_path / "study.db")


def test_a_file_that_is_no_study_is_told(prepared: Open, tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database, " * 100, encoding="utf-8")
    with pytest.raises(FinsentError, match=r"study.db: cannot be read as optuna's trials .*move it away"):
        open_study(prepared(), tmp_path / "study.db")
