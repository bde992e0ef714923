from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.recipe.training import Training
from finsent.training.batches import rows_at_once
from finsent.training.fit import fit
from finsent.training.loss import make_loss
from tests import tiny


@pytest.mark.parametrize(
    ("rows", "tokens", "at_once"),
    [
        (32, 128, 32),
        (32, 256, 16),
        (32, 512, 4),
        (16, 300, 16),
        (64, 96, 64),
        (7, 512, 7),
        (7, 600, 1),
        (3, 5000, 1),
    ],
)
def test_batches_of_long_rows_are_computed_in_equal_parts(rows: int, tokens: int, at_once: int) -> None:
    assert rows_at_once(Training(batch_size=rows, max_tokens=tokens)) == at_once


IN_PARTS = {"finsent-small"}  # measured for the first time when long batches were computed in parts already


@pytest.mark.parametrize("file", sorted((tiny.ROOT / "recipes").glob("*.yaml")), ids=lambda file: file.stem)
def test_recipes_that_were_measured_before_there_were_parts_are_fitted_as_they_were(file: Path) -> None:
    if file.stem in IN_PARTS:
        assert rows_at_once(load_recipe(file).training) == 32
        return
    training = load_recipe(file).training
    assert rows_at_once(training) == training.batch_size


def test_parts_teach_what_the_whole_batch_does(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"dropout": 0.0, "epochs": 1, "evaluations": 1, "class_weights": "root", "batch_size": 12}
    recipe = tiny_recipe.model_copy(update={"training": tiny_recipe.training.model_copy(update=changes)})
    splits = load_splits(recipe)
    fitted = []
    for name, most in (("whole", 10**6), ("parts", 4 * 128 * 1.5)):
        monkeypatch.setattr("finsent.training.batches.MOST_KEPT", most)
        base = load_base(recipe, [row.text for row in splits.train])
        report = fit(recipe, splits, base, tmp_path / name)
        fitted.append((report.steps, base.model.bert.encoder.layer[0].output.dense.weight.detach()))
    (steps, whole), (same, parts) = fitted
    assert rows_at_once(recipe.training) == 4 and steps == same == 5
    assert torch.allclose(whole, parts, atol=1e-5)


def test_a_loss_of_parts_adds_up_to_that_of_the_batch() -> None:
    logits, labels = torch.randn(6, 3), torch.softmax(torch.randn(6, 3), 1)
    loss = make_loss(torch.tensor([0.5, 1.0, 2.0]), 0.1)
    whole = loss({"logits": logits}, labels, num_items_in_batch=18)
    assert whole == loss({"logits": logits}, labels)
    parts = [loss({"logits": logits[part]}, labels[part], 18) for part in (slice(0, 4), slice(4, 6))]
    assert torch.allclose(whole, sum(parts, torch.tensor(0.0)))
