from __future__ import annotations

import pytest
import torch

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from finsent.training.loss import class_weights


def test_class_weights_are_mean_one_and_favour_the_rare(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    training = tiny_recipe.training.model_copy(update={"class_weights": "balanced"})
    recipe = tiny_recipe.model_copy(update={"training": training})
    weights = class_weights(splits, recipe)
    assert weights is not None
    counts = torch.tensor([sum(row.label == label for row in splits.train) for label in recipe.labels])
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert weights.argmax() == counts.argmin()
    assert class_weights(splits, tiny_recipe) is None
