from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from finsent.training import fit as fitting
from finsent.training.optimizers import group_weights, make_adafactor


def test_a_step_is_as_large_as_the_weights_are() -> None:
    model = torch.nn.ModuleList([torch.nn.Linear(8, 8, bias=False) for _ in range(2)])
    torch.nn.init.constant_(model[0].weight, 1.0)
    torch.nn.init.constant_(model[1].weight, 0.01)
    optimizer = make_adafactor(model, 0.1, 0.0)
    for layer in model:
        layer.weight.grad = torch.ones_like(layer.weight)
    optimizer.step()
    assert [float(layer.weight.detach()[0, 0]) for layer in model] == pytest.approx([0.9, 0.009], rel=1e-4)


def test_only_what_is_trained_is_given_and_biases_and_norms_do_not_decay() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 2))
    model[2].weight.requires_grad_(False)
    decaying, others = group_weights(model, 0.5)
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.5, 0.0)
    assert [tuple(one.shape) for one in decaying["params"]] == [(3, 4)]
    assert [tuple(one.shape) for one in others["params"]] == [(3,), (3,), (3,), (2,)]


def test_a_recipe_chooses_it(tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = tiny_recipe.training.model_copy(update={"optimizer": "adafactor", "learning_rate": 0.02})
    recipe, made = tiny_recipe.model_copy(update={"training": training}), []

    def watch(model: torch.nn.Module, *rest: float) -> torch.optim.Optimizer:
        made.append(make_adafactor(model, *rest))
        return made[-1]

    monkeypatch.setattr(fitting, "make_adafactor", watch)
    splits = load_splits(recipe)
    base = load_base(recipe, [row.text for row in splits.train])
    report = fitting.fit(recipe, splits, base, tmp_path / "checkpoints")
    [optimizer] = made
    assert all(optimizer.state[one]["step"] == report.steps for one in base.model.parameters())
    fitting.fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path / "adamw")
    assert len(made) == 1
