from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from scipy.stats import binomtest

from finsent.encoder.base_model import BaseModel
from finsent.recipe.recipe import Recipe
from finsent.scoring import mcnemar
from finsent.training.report import TrainingReport
from tests.tuning import samples
from tests.tuning.samples import make_trial
from tuning import finals
from tuning.finals import choose_finalists, compare, compare_unseen, run_final, run_finals
from tuning.setup import Setup, prepare_setup


@pytest.fixture
def setup(tmp_path: Path, tiny_base: Path) -> Setup:
    search, recipe = samples.read_search(tmp_path, tiny_base, samples.SHORT, finalists=1, seeds=2)
    return prepare_setup(search, recipe, None)


def test_finalists_are_the_best_different_trials_that_came_to_their_end() -> None:
    trials = [
        make_trial(1, 0.6),
        make_trial(2, 0.9, stopped=True),
        make_trial(3, 0.7, rate=1e-3),
        make_trial(4, 0.8, rate=1e-3),
        make_trial(5, 0.5, rate=1e-5),
    ]
    assert [one.number for one in choose_finalists(trials, 2)] == [4, 1]
    assert [one.number for one in choose_finalists(trials, 9)] == [4, 1, 5]


def test_finals_are_trained_once_a_seed_and_the_test_rows_are_scored_for_the_winner_alone(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[float, int]] = []
    fit = finals.fit_recipe

    def counting(setup: Setup, recipe: Recipe, folder: Path) -> tuple[BaseModel, TrainingReport]:
        trained.append((recipe.training.learning_rate, recipe.training_seed))
        return fit(setup, recipe, folder)

    monkeypatch.setattr(finals, "fit_recipe", counting)
    places = tmp_path / "finals", tmp_path / "checkpoints"
    weak = make_trial(1, 0.9, rate=1e-6)  # the luckiest trial is no better than the recipe
    found = run_finals(setup, [weak], *places)
    assert setup.seeds == [2, 3] and setup.recipe.training_seed == 1
    assert trained == [(0.005, 2), (0.005, 3), (1e-6, 2), (1e-6, 3)]
    assert found.winner == 0 and compare_unseen(setup, found) is None
    assert [one.trial for one in found.contenders] == [None, 1]
    again = run_finals(setup, [weak], *places)
    assert len(trained) == 4 and again.contenders == found.contenders
    assert [one.shape for one in found.answers] == [(2, len(setup.splits.test))] * 2


def test_answers_stand_in_the_order_of_the_rows(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = Mock(), Mock(validation_macro_f1=0.5)
    monkeypatch.setattr(finals, "fit_recipe", lambda *_: fitted)
    monkeypatch.setattr(finals, "predict_logits", lambda _, __, texts, ___: np.eye(200)[[*map(len, texts)]])
    places = tmp_path / "finals", tmp_path / "checkpoints"
    turned = replace(setup, splits=replace(setup.splits, test=setup.splits.test[::-1]))
    first, again = run_final(setup, {}, 2, *places), run_final(turned, {}, 2, *places)
    assert again.answers == first.answers[::-1] != first.answers


def test_one_seed_is_compared_by_mcnemar_and_several_by_rows() -> None:
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    start = np.array([[1, 0, 1, 0, 0, 1, 0, 1]])
    best = np.array([[0, 1, 0, 1, 1, 1, 0, 1]])
    one = compare(best, start, labels, 2, seed=0)
    assert (one.better, one.worse, one.rows) == (4, 1, 8)
    assert one.p == pytest.approx(binomtest(4, 5).pvalue) and one.p == pytest.approx(0.375)
    assert one.gain == pytest.approx(3 / 8) == pytest.approx(one.accuracy - one.start_accuracy)
    assert one.gain_interval.low < one.gain < one.gain_interval.high
    two = compare(np.repeat(best, 2, axis=0), np.repeat(start, 2, axis=0), labels, 2, seed=0)
    assert two == one  # a second seed that says the same adds no evidence
    mixed = compare(np.stack([best[0], start[0]]), np.repeat(start, 2, axis=0), labels, 2, seed=0)
    assert (mixed.better, mixed.worse) == (4, 1) and mixed.gain == pytest.approx(one.gain / 2)


def test_macro_f1_counts_a_label_that_no_row_has() -> None:
    labels = np.array([0, 0, 1, 1])
    found = compare(labels[None], labels[None], labels, 3, seed=0)
    assert found.macro_f1 == pytest.approx(2 / 3) and (found.better, found.worse, found.p) == (0, 0, 1.0)


def test_mcnemar_is_exact_and_one_where_nothing_differs() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(8, 2) == mcnemar(2, 8) == pytest.approx(0.109375)
