from __future__ import annotations

from dataclasses import replace

import pytest

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from model_card.measure.baselines import measure_baselines


def test_the_majority_is_that_of_the_training_rows(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    most = [row for row in splits.train if row.label == "positive"]
    test = [*[row for row in splits.test if row.label == "negative"], *most[:1]]
    majority, _ = measure_baselines(tiny_recipe, replace(splits, train=[*splits.train, *most], test=test))
    assert majority.name == "majority class"
    assert majority.scores.accuracy == pytest.approx(1 / len(test))
    assert majority.scores.per_class["positive"].recall == 1


def test_words_that_stand_for_a_label_are_learnt_from_the_training_rows_alone(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    told = {"negative": "loss widened", "neutral": "opens lease", "positive": "profit rose"}
    test = [replace(row, text=told[row.label]) for row in splits.test]
    _, linear = measure_baselines(tiny_recipe, replace(splits, test=test))
    assert linear.scores.accuracy == 1
    strange = [replace(row, text="quux") for row in test]
    _, blind = measure_baselines(tiny_recipe, replace(splits, test=strange))
    assert sum(map(max, zip(*blind.scores.confusion, strict=True))) < len(test)  # it knows none of the words
