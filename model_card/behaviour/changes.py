"""Changes of a text that leave its meaning as it is, in any language; a link in it is never changed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

LEAST_TYPED = 5  # letters of a word in which a slip is still read as that word
# Scripts that write a syllable or a word with one sign, where two that are swapped are another word.
WHOLE_SIGNS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")


def change_case(text: str) -> Iterator[str]:
    """Yield the text in capitals, in small letters and with Capitals As In A Title; nothing without case."""
    yield from _distinct(text, (_map_words(text, change) for change in (str.upper, str.lower, _begin_word)))


def change_punctuation(text: str) -> Iterator[str]:
    """Yield the text with a full stop, in quotation marks, with doubled blanks, and without commas."""
    stopped = f"{text}." if text[-1:].isalnum() and "://" not in text.split()[-1] else text
    changed = (stopped, f"“{text}”", text.replace(" ", "  "), text.replace(", ", " "))
    yield from _distinct(text, changed)


def change_typos(text: str) -> Iterator[str]:
    """Yield the text with a letter typed twice in its longest word, and with two of its letters swapped."""
    found = max(re.finditer(r"[^\W\d_]+", _without_links(text)), key=lambda one: len(one[0]), default=None)
    if found is None or len(found[0]) < LEAST_TYPED:
        return
    middle = found.start() + len(found[0]) // 2
    before, letter, after, rest = text[:middle], text[middle], text[middle + 1], text[middle + 2 :]
    yield from _distinct(text, [before + letter + letter + after + rest])
    if not any(_is_whole_sign(one) for one in letter + after):
        yield from _distinct(text, [before + after + letter + rest])


def change_length(text: str) -> Iterator[str]:
    """Yield the text said twice."""
    yield f"{text} {text}"


CHANGES: dict[str, Callable[[str], Iterator[str]]] = {
    "case": change_case,
    "punctuation": change_punctuation,
    "typos": change_typos,
    "length": change_length,
}


def _map_words(text: str, change: Callable[[str], str]) -> str:
    return re.sub(r"\S+", lambda word: word[0] if "://" in word[0] else change(word[0]), text)


def _begin_word(word: str) -> str:
    return word[:1].upper() + word[1:]


def _without_links(text: str) -> str:
    """Return a text of the same length with blanks for its links."""
    return re.sub(r"\S*://\S*", lambda link: " " * len(link[0]), text)


def _is_whole_sign(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(WHOLE_SIGNS)


def _distinct(text: str, changed: Iterator[str] | tuple[str, ...] | list[str]) -> Iterator[str]:
    yield from (one for one in dict.fromkeys(changed) if one != text)
