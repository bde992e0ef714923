from __future__ import annotations

import pytest
from pydantic import ValidationError

from finsent.recipe.recipe import Distillation, Recipe
from finsent.training.counterfactuals import turn_around

PAIRS = [("rose", "fell"), ("wider", "narrower"), ("year-high", "year-low")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The loss rose", "The loss fell"),
        ("FELL again", "ROSE again"),
        ("Narrower loss", "Wider loss"),
        ("A year-high, it says", "A year-low, it says"),
        ("€9.5m after €2m", "€2m after €9.5m"),
        ("up from 1,200 to 14", "up from 14 to 1,200"),
    ],
)
def test_a_text_is_turned_around(text: str, expected: str) -> None:
    assert turn_around([text], PAIRS, seed=0) == [expected]


@pytest.mark.parametrize("text", ["", "Roses fellow", "2 and 2", "7 %", "the prose of wellfell"])
def test_a_text_without_an_opposite_has_no_copy(text: str) -> None:
    assert turn_around([text], PAIRS, seed=0) == []


def test_without_opposites_no_figures_change_places() -> None:
    assert turn_around(["from 2 to 9"], [], seed=0) == []


def test_one_change_a_text_drawn_by_the_seed() -> None:
    texts = ["rose by 2 of 9, wider"] * 60
    copies = turn_around(texts, PAIRS, seed=3)
    assert copies == turn_around(texts, PAIRS, seed=3) != turn_around(texts, PAIRS, seed=4)
    assert set(copies) == {"fell by 2 of 9, wider", "rose by 9 of 2, wider", "rose by 2 of 9, narrower"}


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([("Rose", "fell")], "each opposite is one word in lower case"),
        ([("went up", "fell")], "each opposite is one word in lower case"),
        ([("rose", "fell"), ("grew", "fell")], "a word has one opposite"),
        ([("rose", "rose")], "a word has one opposite"),
    ],
)
def test_opposites_that_are_no_pairs_of_words_are_refused(
    tiny_recipe: Recipe, pairs: list[tuple[str, str]], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        Distillation(teachers=[tiny_recipe], opposites=pairs)
