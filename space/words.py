"""The words of the demo, read from static/words.json, which both forms share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "static" / "words.json"


@dataclass(frozen=True)
class Unit:
    """What one text of the release is called, and several of them."""

    one: str = "text"
    many: str = "texts"


@cache
def read_words() -> dict[str, Any]:
    """Return everything in the file."""
    words: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return words


def phrase(name: str, unit: Unit | None = None, /, **values: str) -> str:
    """Return a sentence with its values filled in; KeyError for a name or a value that is missing.

    A sentence that names the texts needs their `unit`: {one} and {many}, or {One} and {Many} at its start.
    """
    if unit is not None:
        values |= {"one": unit.one, "many": unit.many}
        values |= {"One": begin(unit.one), "Many": begin(unit.many)}
    return str(read_words()[name]).format(**values)


def begin(words: str) -> str:
    """Return words as they begin a sentence: no letter behind the first is changed."""
    return words[:1].upper() + words[1:]
