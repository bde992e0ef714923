from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import BaseModel

from finsent.recipe.known_keys import OF_A_FILE, known_keys, suggest_key
from finsent.recipe.pretraining import Pretraining
from finsent.recipe.recipe import Recipe
from finsent.recipe.reference import pretraining_page, reference_page
from finsent.recipe.search import Search


@pytest.mark.parametrize(("model", "page"), [(Recipe, reference_page), (Pretraining, pretraining_page)])
def test_every_known_key_is_on_the_page_of_keys(model: type[BaseModel], page: Callable[[], str]) -> None:
    found, text = list(known_keys(model)), page()
    assert len(found) > 40
    for key in found:
        assert f"| `{key.rpartition('.')[2]}` |" in text, key


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        (("sead",), "seed"),
        (("extend",), "extends"),
        (("training", "learningrate"), "training.learning_rate"),
        (("training", "Epochs"), "training.epochs"),
        (("data", "sources", 0, "table", "lable"), "data.sources.label"),
        (("card", "examples", 2, "expect"), "card.examples.expected"),
        (("learning_rate",), "training.learning_rate"),
        (("base", "epochs"), "training.epochs"),
        (("xyzzy",), None),
    ],
)
def test_a_wrong_key_is_led_to_the_right_one(place: tuple[int | str, ...], meant: str | None) -> None:
    assert suggest_key(Recipe, place) == meant


@pytest.mark.parametrize(
    ("wrong", "meant"), [("itn", "space.int"), ("whole", None), ("chioce", "space.choice")]
)
def test_a_key_of_a_search_is_called_as_its_file_calls_it(wrong: str, meant: str | None) -> None:
    assert suggest_key(Search, ("space", "training.epochs", wrong)) == meant


def test_keys_of_a_file_are_no_keys_of_a_recipe() -> None:
    assert not {*known_keys(Recipe)} & {*OF_A_FILE}
