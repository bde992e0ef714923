"""The words of the demo, read from static/words.json, which both forms share."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "static" / "words.json"


@cache
def read_words() -> dict[str, Any]:
    """Return everything in the file."""
    words: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return words


def phrase(name: str, **values: str) -> str:
    """Return a sentence with its values filled in; KeyError for a name or a value that is missing."""
    return str(read_words()[name]).format(**values)


def sign(kind: str) -> str:
    """Return the sign of a kind of label (low, mid, high), or of an unsure answer (unsure)."""
    return str(read_words()["signs"][kind])


def hard_pair() -> tuple[str, str]:
    """Return opposite news in nearly the same words: who only counts good and bad words gets one wrong."""
    first, second = read_words()["hard_pair"]
    return first, second
