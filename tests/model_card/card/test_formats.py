from __future__ import annotations

import ast
import json
import shlex

import pytest

from model_card.card import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "`plain`"),
        ("a ` b", "``a ` b``"),
        ("`a``", "``` `a`` ```"),
        ("two\nlines", "`two lines`"),
        (" ", "`(empty)`"),
    ],
)
def test_code_spans(text: str, expected: str) -> None:
    assert formats.code(text) == expected


def test_quote_cuts_and_escapes_bars() -> None:
    assert formats.quote("a|b") == "`a\\|b`"
    assert len(formats.quote("x" * 500)) == formats.LONGEST_QUOTE + 2


def test_cell_holds_no_markup() -> None:
    assert formats.cell("a|b <i> *c* _d_ $X") == "a\\|b &lt;i> \\*c\\* \\_d\\_ `$X`"


def test_words_put_dollars_into_code_once() -> None:
    assert formats.words("of $BRK.B, or `$AAPL`.") == "of `$BRK.B`, or `$AAPL`."


@pytest.mark.parametrize("text", ['say "x"', "it's", "a\\n", "\u2028", "tab\t", "📈", "$HOME `id`"])
def test_literals_read_back(text: str) -> None:
    assert ast.literal_eval(formats.python_string(text)) == text
    assert json.loads(formats.javascript_string(text)) == text
    (word,) = shlex.split(formats.shell_json(text))
    assert json.loads(word) == {"inputs": text}


@pytest.mark.parametrize(("value", "expected"), [(0.0, "0"), (0.21344, "0.2134"), (3.24e-7, "3.2e-07")])
def test_tiny_differences(value: float, expected: str) -> None:
    assert formats.tiny(value) == expected


def test_roundings() -> None:
    assert formats.percent(0.98765) == "98.8 %"
    assert formats.megabytes(14_871_345) == "14.9 MB"
    assert formats.thousands(14_351_187) == "14,351,187"
