from __future__ import annotations

import re
import string

import batch
import marks
import markup
import model
import pytest
from words import FILE, Unit, phrase, read_words

from inference import explain
from tests.space.conftest import SPACE

STATIC = SPACE / "static"


def code_of(*patterns: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for one in patterns for path in sorted(SPACE.glob(one)))


def test_a_phrase_has_its_values() -> None:
    assert phrase("verdict_unsure", label="up") == "Unsure, perhaps up"
    with pytest.raises(KeyError, match="label"):
        phrase("verdict_unsure")
    with pytest.raises(KeyError, match="no such"):
        phrase("no such phrase")


def test_a_unit_begins_a_sentence_or_stands_in_it() -> None:
    unit = Unit("iOS review", "iOS reviews")
    assert phrase("one", unit) == "One iOS review"
    assert phrase("many_label", unit) == "IOS reviews, one per line"
    assert phrase("column", unit) == "Column with the iOS reviews"
    with pytest.raises(KeyError, match="one"):
        phrase("one")


def test_both_forms_use_every_word_and_no_other() -> None:
    names = set(read_words()) - {"signs", "plain_signs"}
    named = r"""(?:phrase\(|data-words=)\s*(?:[^()]*\?)?\s*["']([a-z_]+)["']"""
    python = set(re.findall(named, code_of("*.py")))
    page = set(re.findall(named, code_of("static/*.js", "static/*.html")))
    whole = code_of("*.py", "static/*.js", "static/*.html")
    assert python | page <= names
    assert {name for name in names if not re.search(rf"[\"'`]{name}[\"'`]", whole)} <= {
        *("column_row", "column_text", "column_label")  # whose names are put together
    }


def test_every_word_is_said_once() -> None:
    whole = code_of("*.py", "static/*.js", "static/*.html")
    sentences = [text for text in read_words().values() if isinstance(text, str) and len(text) > 25]
    pieces = [piece for text in sentences for piece, *_ in string.Formatter().parse(text) if len(piece) > 15]
    assert len(pieces) > 12
    assert [piece for piece in pieces if piece in whole] == []


def test_colours_and_signs_are_said_once() -> None:
    assert re.findall(r"#[0-9a-f]{6}\b", code_of("*.py", "*.css", "static/*.js", "static/page.css")) == []
    signs = "".join([*read_words()["signs"].values(), *read_words()["plain_signs"]]).replace("?", "")
    assert not set(signs) & set(code_of("*.py", "static/*.js", "static/*.html", "static/*.css"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOST_CHARACTERS", batch.MOST_CHARACTERS),
        ("MOST_WORDS", explain.MOST_WORDS),
        ("READ_CHARACTERS", explain.READ_CHARACTERS),
        ("SEED", explain.SEED),
        ("MOST_ORDERS", explain.MOST_ORDERS),
        ("MOST_VARIANTS", explain.MOST_VARIANTS),
        ("VISIBLE_EFFECT", markup.VISIBLE_EFFECT),
        ("SHOWN_CHARACTERS", markup.SHOWN_CHARACTERS),
        ("RIGHT_ENOUGH", model.RIGHT_ENOUGH),
        ("PLAIN_COLOURS", marks.PLAIN_COLOURS),
    ],
)
def test_the_page_counts_as_the_app_does(name: str, value: float) -> None:
    [found] = re.findall(rf"const {name} = ([\d.]+);", code_of("static/*.js"))
    assert float(found) == value


def test_the_words_lie_where_both_forms_find_them() -> None:
    assert FILE == STATIC / "words.json" and FILE.is_file()
