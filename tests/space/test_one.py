from __future__ import annotations

import pytest
from compare import show_comparison
from model import Model
from one import show_answer, show_pair, show_words

from inference.explain import METHODS
from tests.space.tags import parse
from tests.tiny import PAIR


@pytest.mark.parametrize(
    ("text", "message"), [("", "There is no text yet"), ("x" * 10_001, "10,001 characters; at most 10,000")]
)
def test_a_text_that_is_refused_says_why(model: Model, text: str, message: str) -> None:
    assert message in show_answer(model, text)[0]
    assert show_words(model, text) == ""
    assert message in show_comparison(model, text)


def test_the_hard_pair_stands_side_by_side(model: Model) -> None:
    text = parse(show_pair(model)[0]).text
    assert model.pair and model.pair.note in text
    assert all(one in text for one in PAIR)
    assert text.count("Which words decided") == 2


def test_words_are_weighed_as_the_visitor_chooses(model: Model) -> None:
    alone, together = (parse(show_words(model, PAIR[0], method)).text for method in METHODS)
    assert "Each word was left out in turn." in alone
    assert "The words were added in 32 random orders." in together
    assert alone.split("Each word")[0] != together.split("The words were")[0]
