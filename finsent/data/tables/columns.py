"""Which column of a table holds the text, which the label, and which ties rows together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from finsent.data.tables.table import Table
from finsent.errors import DataError

TEXT_NAMES = (
    "text", "sentence", "review", "content", "message", "comment", "headline", "title", "tweet", "body",
    "utterance", "query", "question", "description", "document", "post", "summary", "email", "sms",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "class", "category", "target", "sentiment", "intent", "topic", "tag", "polarity",
    "emotion", "stars", "rating", "y", "answer", "type", "group",
)  # fmt: skip
GROUP_NAME = re.compile(r"(^|_)(id|ids|pair|thread|conversation|dialog|dialogue|user|author|parent|doc)$")
MOST_LABELS = 200
LEAST_ROWS_A_LABEL = 2.0  # mean; a column with fewer is no label


@dataclass(frozen=True)
class Guess:
    """A column and the reason why it was taken."""

    name: str
    reason: str


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for."""

    text: Guess
    label: Guess
    group: Guess | None


def guess_columns(table: Table, text: str | None, label: str | None) -> Columns:
    """Return the columns; those that a person named are taken as they are.

    DataError: a named column is not there, or none looks like a text or like a label.
    """
    text_guess = _named(table, text, "--text") or _guess_text(table, label)
    label_guess = _named(table, label, "--label") or _guess_label(table, text_guess.name)
    return Columns(text_guess, label_guess, _guess_group(table, {text_guess.name, label_guess.name}))


def guess_text_column(table: Table, text: str | None) -> Guess:
    """Return the column of the texts alone, for files that have no labels."""
    return _named(table, text, "--text") or _guess_text(table, None)


def _named(table: Table, name: str | None, option: str) -> Guess | None:
    if name is None:
        return None
    if name not in table.columns:
        raise DataError(
            f"{table.name}: has no column {name!r}; choose another with {option}: {_tell(table.columns)}"
        )
    return Guess(name, f"named by {option}")


def _guess_text(table: Table, label: str | None) -> Guess:
    rest = {name: values for name, values in table.columns.items() if name != label}
    if not rest:
        raise DataError(f"{table.name}: has no column besides {label!r}; a text column is needed, too")
    known = [name for name in rest if name.strip().lower() in TEXT_NAMES]
    known.sort(key=lambda name: TEXT_NAMES.index(name.strip().lower()))
    words = {name: _mean_words(values) for name, values in rest.items()}
    longest = max(words, key=lambda name: words[name])
    if named := [name for name in known if words[name] >= min(3.0, words[longest] / 2)]:
        return Guess(named[0], "by its name")
    if all(re.fullmatch(r"[\d\s.,:/-]*", value) for value in rest[longest][:200]):
        raise DataError(f"{table.name}: no column looks like a text; choose one with --text: {_tell(rest)}")
    return Guess(longest, f"its cells are the longest: {words[longest]:.0f} words on average")


def _tell(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))


def _mean_words(values: list[str]) -> float:
    """Return the mean number of words; scripts without spaces count about as many by their letters."""
    sample = values[:2000]
    return fmean(max(len(value.split()), _wide_letters(value) / 2) for value in sample) if sample else 0.0


def _wide_letters(value: str) -> int:
    return 0 if value.isascii() else sum(letter >= "\u0e00" for letter in value)


def _guess_label(table: Table, text: str) -> Guess:
    rest = {name: values for name, values in table.columns.items() if name != text}
    counts = {name: len(set(values)) for name, values in rest.items()}
    fit = [name for name in rest if _may_be_label(rest[name], counts[name])]
    known = [name for name in fit if name.strip().lower() in LABEL_NAMES]
    if known:
        known.sort(key=lambda name: LABEL_NAMES.index(name.strip().lower()))
        return Guess(known[0], f"by its name; {counts[known[0]]} different values")
    if len(fit) == 1:
        return Guess(fit[0], f"the only column with few distinct values: {counts[fit[0]]}")
    told = ", ".join(f"{name!r} ({counts[name]:,} different values)" for name in rest) or "none beside it"
    which = "several columns could be the label" if fit else "no column looks like a label"
    raise DataError(f"{table.name}: {which}; choose one with --label: {told}")


def _may_be_label(values: list[str], different: int) -> bool:
    filled = [value for value in values if value.strip()]
    if not 2 <= different <= MOST_LABELS or len(filled) < different * LEAST_ROWS_A_LABEL:
        return False
    return not any(re.fullmatch(r"-?\d+\.\d*[1-9]\d*", value.strip()) for value in filled)


def _guess_group(table: Table, used: set[str]) -> Guess | None:
    for name, values in table.columns.items():
        counts = Counter(values)
        shared = sum(count for count in counts.values() if count > 1)
        told = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", name.strip()).lower()
        if name in used or not GROUP_NAME.search(told) or not shared or "" in counts:
            continue
        if len(counts) >= 20 and max(counts.values()) <= len(values) / 10:
            reason = f"{shared:,} rows share a value with others; they stay in one split"
            return Guess(name, reason)
    return None
