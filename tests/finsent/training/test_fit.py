from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from finsent.training.fit import fit
from tests import tiny


def test_fitting_learns_reports_and_is_repeatable(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    texts = [row.text for row in splits.train]
    reports, weights = [], []
    for name in ("one", "two"):
        base = load_base(tiny_recipe, texts)
        reports.append(fit(tiny_recipe, splits, base, tmp_path / name))
        weights.append(base.model.classifier.weight)
    assert torch.equal(*weights)
    assert reports[0].validation_macro_f1 > 0.8
    assert reports[0].temperature == reports[1].temperature
    assert reports[0].watt_hours_estimate == pytest.approx(60 * reports[0].seconds / 3600)
    assert reports[0].co2_grams_estimate == pytest.approx(0.4 * (reports[0].watt_hours_estimate or 0))


@pytest.mark.parametrize("freeze", [False, True])
def test_vectors_of_pieces_stay_when_frozen(tiny_recipe: Recipe, tmp_path: Path, freeze: bool) -> None:
    training = tiny_recipe.training.model_copy(update={"freeze_embeddings": freeze})
    recipe = tiny_recipe.model_copy(update={"training": training})
    splits = load_splits(recipe)
    base = load_base(recipe, [row.text for row in splits.train])
    before = {name: weights.clone() for name, weights in base.model.state_dict().items()}
    fit(recipe, splits, base, tmp_path)
    same = {name for name, weights in base.model.state_dict().items() if torch.equal(weights, before[name])}
    pieces = "bert.embeddings.word_embeddings.weight"
    assert (pieces in same) == freeze
    assert not any("layer" in name for name in same)


def test_dropout_is_the_recipe_s_where_it_says_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    for dropout, expected in ((None, 0.1), (0.0, 0.0)):
        training = tiny_recipe.training.model_copy(update={"dropout": dropout})
        recipe = tiny_recipe.model_copy(update={"training": training})
        base = load_base(recipe, [])
        fit(recipe, splits, base, tmp_path / str(dropout))
        found = [module.p for module in base.model.modules() if isinstance(module, torch.nn.Dropout)]
        assert len(found) == 8  # embeddings, head, and three a layer
        assert set(found) == {expected}
        assert base.model.config.hidden_dropout_prob == 0.1


@pytest.mark.parametrize("evaluations", [1, 3, 7])
def test_the_last_step_is_evaluated(tiny_recipe: Recipe, tmp_path: Path, evaluations: int) -> None:
    training = tiny_recipe.training.model_copy(
        update={"evaluations": evaluations, "patience": 9, "epochs": 1}
    )
    recipe = tiny_recipe.model_copy(update={"training": training})
    report = fit(recipe, load_splits(recipe), load_base(recipe, []), tmp_path)
    state = tiny.read_json(tmp_path / f"checkpoint-{report.steps}" / "trainer_state.json")
    evaluated = [entry["step"] for entry in state["log_history"] if "eval_macro_f1" in entry]
    assert len(evaluated) == evaluations
    assert evaluated[-1] == report.steps
