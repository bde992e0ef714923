from __future__ import annotations

import numpy as np
import pytest
import torch

from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from finsent.training.temperature import fit_temperature, fold_temperature


def test_the_temperature_is_found_and_sits_in_the_head(tiny_recipe: Recipe) -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(4000, 3)) * 2
    exponential = np.exp(logits)
    labels = np.array([draw.choice(3, p=row / row.sum()) for row in exponential])
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)
    base = load_base(tiny_recipe, [])
    before = base.model.classifier.weight.detach().clone()
    fold_temperature(base.model, 2.0)
    assert torch.allclose(base.model.classifier.weight, before / 2)
