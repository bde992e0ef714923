from __future__ import annotations

from pathlib import Path

import pytest

from finsent.cautions import ScriptWords
from finsent.encoder.reading import name_script, read_base, read_release
from finsent.recipe.recipe import Recipe


def test_a_base_sees_what_its_pieces_and_the_text_rules_leave(tiny_recipe: Recipe) -> None:
    see = read_base(tiny_recipe, None).identify
    profit, upper, link, other, cashtag, plain = see(
        ["profit rose", "PROFIT  rose", "profit rose https://a.b", "profit fell", "$AAPL", "aapl"]
    )
    assert profit == upper == link
    assert profit != other
    assert cashtag == plain


def test_unknown_words_are_told_apart_by_their_letters(tiny_recipe: Recipe) -> None:
    smile, rage, again = read_base(tiny_recipe, None).identify(["up 😀", "up 😡", "up  😀"])
    assert smile == again != rage


def test_what_stands_behind_the_bound_is_not_seen(tiny_recipe: Recipe) -> None:
    long = "profit " * 30
    first, second = read_base(tiny_recipe, None).identify([long + "rose", long + "fell"])
    assert first == second


def test_words_are_counted_by_script_with_those_that_are_unknown(tiny_recipe: Recipe) -> None:
    found = read_base(tiny_recipe, None).measure(["profit rose 😀 5 %", "Москва 中", "a \ud800"])
    assert found.scripts == {
        "latin": ScriptWords(3, 0),
        "symbols and emoji": ScriptWords(1, 1),
        "digits": ScriptWords(1, 0),
        "punctuation": ScriptWords(2, 0),
        "cyrillic": ScriptWords(1, 1),
        "cjk": ScriptWords(1, 0),
    }


def test_lengths_are_those_after_cleaning(tiny_recipe: Recipe) -> None:
    texts = ["ab https://a.b", "x" * 116, "x" * 117, "한" * 39]
    found = read_base(tiny_recipe, None).measure(texts)
    assert found.characters == [3, 116, 117, 117]  # a Hangul syllable becomes three letters
    assert found.cut == [False, False, True, True]
    assert found.tokens[0] == 4


def test_a_release_reads_like_its_base(tiny_release: Path, tiny_recipe: Recipe) -> None:
    texts = ["Arvo profit rose", "😀 up"]
    base, release = read_base(tiny_recipe, None), read_release(tiny_release, tiny_recipe)
    assert release.identify(texts) == base.identify(texts)
    assert release.measure(texts) == base.measure(texts)


@pytest.mark.parametrize(
    ("word", "script"),
    [
        ("profit", "latin"),
        ("कि", "devanagari"),
        ("7", "digits"),
        ("€", "symbols and emoji"),
        ("", "punctuation"),
    ],
)
def test_scripts_have_names(word: str, script: str) -> None:
    assert name_script(word) == script
