from __future__ import annotations

import pytest
from compare import show_comparison
from model import Model
from one import show_answer, show_pair, show_words

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
