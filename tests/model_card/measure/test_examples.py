from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from model_card.measure.examples import find_mistakes
from model_card.measure.scores import class_numbers


def test_mistakes_are_a_fair_sample_in_order(tiny_recipe: Recipe, tiny_release: Path) -> None:
    rows = [
        replace(row, slice=f"s{index % 3}") for index, row in enumerate(load_splits(tiny_recipe).test * 9)
    ]
    labels = class_numbers(rows, tiny_recipe.labels)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), size=len(rows))
    found = find_mistakes(tiny_recipe, rows, probabilities)
    assert len(found) == 20 < (probabilities.argmax(axis=1) != labels).sum()
    order = [(one.slice, -one.score) for one in found]
    assert order == sorted(order)
    assert {one.slice for one in found} == {"rows/s0", "rows/s1", "rows/s2"}
    hidden = tiny_recipe.data.sources[0].model_copy(update={"show_texts": False})
    data = tiny_recipe.data.model_copy(update={"sources": [hidden]})
    assert find_mistakes(tiny_recipe.model_copy(update={"data": data}), rows, probabilities) == []
