from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finsent.data.duplicates import resolve_duplicates
from finsent.data.rows import Row
from finsent.encoder.reading import read_base
from finsent.preparation import prepare_splits
from finsent.recipe.recipe import Recipe
from finsent.text import LINK, comparable
from tests.finsent.data.test_splits import row


def stay(rows: list[Row], recipe: Recipe) -> list[str]:
    found = resolve_duplicates(rows, [comparable(one.text) for one in rows], read_base(recipe, None).identify)
    assert len(found.stay) + len(found.repeated) + len(found.conflicting) == len(rows)
    return [one.text for one in found.stay]


@pytest.mark.parametrize(
    ("left", "right"),
    [("great :)", "great :("), ("C", "C++"), ("I am 😀", "I am 😡"), ("😀", "😡"), ("कि", "की"), ("कु", "कू")],
)
def test_texts_in_which_the_model_sees_a_difference_do_not_conflict(
    left: str, right: str, tiny_recipe: Recipe
) -> None:
    assert stay([row(left, "positive"), row(right, "negative")], tiny_recipe) == [left, right]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Profit up", "profit  UP"),
        ("Up https://a.b/1", "up https://c.d"),
        ("I am 😀", "i  am 😀 "),
        ("Ж", "ж"),
    ],
)
def test_texts_in_which_it_sees_none_conflict(left: str, right: str, tiny_recipe: Recipe) -> None:
    rows = [row(left, "positive"), row(right, "negative"), row("else")]
    assert stay(rows, tiny_recipe) == ["else"]


def test_a_conflict_leaves_other_copies_alone(tiny_recipe: Recipe) -> None:
    rows = [row("up!", "positive"), row("UP!", "negative"), row("up?", "positive"), row("up ?", "positive")]
    assert stay(rows, tiny_recipe) == ["up?"]


def test_copies_with_one_label_count_once_whatever_stands_around_their_letters(tiny_recipe: Recipe) -> None:
    assert stay([row("great :)"), row("great :))", split="test"), row("Great!")], tiny_recipe) == [
        "great :))"
    ]


def test_without_a_tokenizer_copies_with_different_labels_conflict() -> None:
    found = resolve_duplicates([row("great :)"), row("great :(", "positive")], ["great"] * 2, None)
    assert (found.stay, len(found.conflicting)) == ([], 2)


def test_what_stays_keeps_its_key_and_its_place() -> None:
    rows = [
        row("b"),
        row("a"),
        row("b!"),
        row("!"),
        row("c", "positive"),
        row("c"),
        row("?"),
        row("a", split="test"),
    ]
    keys = [comparable(one.text) for one in rows]
    found = resolve_duplicates(rows, keys, None)
    kept = [("b", ""), ("a", "test"), ("!", ""), ("?", "")]
    assert [(one.text, one.split.removeprefix("train")) for one in found.stay] == kept
    assert found.keys == ["b", "a", "", ""]
    assert ([one.text for one in found.repeated], len(found.conflicting)) == (["b!", "a"], 2)


def test_the_tokenizer_is_asked_only_where_labels_differ() -> None:
    asked: list[str] = []

    def identify(texts: Sequence[str]) -> Sequence[str]:
        asked.extend(texts)
        return texts

    rows = [row("a"), row("A!"), row("b"), row("b?", "positive")]
    resolve_duplicates(rows, [comparable(one.text) for one in rows], identify)
    assert asked == ["b", "b?"]


def test_a_recipe_without_disputed_copies_needs_no_base(tiny_recipe: Recipe) -> None:
    base = tiny_recipe.base.model_copy(update={"path": "nowhere"})
    splits = prepare_splits(tiny_recipe.model_copy(update={"base": base}), None)
    assert len(splits.train) > len(splits.test) > 0


def test_marks_belong_to_their_letters() -> None:
    assert comparable("कि") != comparable("की")
    assert comparable("Cafe\u0301s") == comparable("Cafés") == "cafés"
    assert comparable("❤\ufe0f") == ""  # a mark on a sign is no letter
    assert comparable("a_b ½ x²") == "a b ½ x²"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_is_compared_by_letters_and_digits(text: str) -> None:
    bare = re.sub(LINK, " ", text).lower()
    assert comparable(text) == " ".join(re.findall(r"[^\W_]+", bare))
