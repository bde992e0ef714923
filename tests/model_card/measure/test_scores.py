from __future__ import annotations

import numpy as np
import pytest

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from model_card.measure.scores import class_numbers, score_parts, slice_name
from tests.model_card.samples import LABELS, make_recipe


def row(label: str, source: str = "posts", part: str = "") -> Row:
    return Row(text="x", label=label, source=source, split="test", slice=part)


def test_rows_have_the_number_of_their_label_in_the_order_of_the_recipe() -> None:
    rows = [row("positive"), row("negative"), row("positive")]
    assert class_numbers(rows, LABELS).tolist() == [2, 0, 2]
    assert class_numbers(rows, ["positive", "negative"]).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="neutral"):
        class_numbers([row("neutral")], ["positive", "negative"])


def test_a_slice_is_named_with_its_source() -> None:
    assert slice_name(row("neutral", "headlines", "results")) == "headlines/results"
    assert slice_name(row("neutral", "headlines")) == ""


def test_each_part_is_scored_by_its_own_rows() -> None:
    recipe: Recipe = make_recipe(evaluation={"bootstrap": 100})
    labels = np.array([0, 1, 2, 2, 1])
    probabilities = np.eye(3)[[0, 1, 2, 0, 0]]
    found = score_parts(recipe, ["b", "a", "a", "b", ""], probabilities, labels)
    assert list(found) == ["a", "b"]
    assert [(one.n, one.accuracy) for one in found.values()] == [(2, 1.0), (2, 0.5)]
    assert found["b"].confusion[2] == [1, 0, 0]
