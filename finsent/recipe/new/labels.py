"""The labels of a table: their names, order, tones, and those that have too few rows to be learnt."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from finsent.errors import DataError

LEAST_ROWS = 8  # a label needs some for each of training, validation and test

_GOOD = {"positive", "pos", "good", "bullish", "praise", "happy", "satisfied", "optimistic"}
_BAD = {"negative", "neg", "bad", "bearish", "complaint", "unhappy", "unsatisfied", "pessimistic"}
_NEITHER = {"neutral", "mixed", "neither", "none", "objective"}


@dataclass(frozen=True)
class LabelValue:
    """What stands in the table, the name that the release gives it (None: left out), and its rows."""

    value: str
    name: str | None
    rows: int


def find_labels(values: list[str], names: dict[str, str]) -> list[LabelValue]:
    """Return the labels in the order of the release; `names` are those that a person gave, by value.

    DataError: a name is given for a value that is not there, or fewer than two labels have enough rows.
    """
    counts = Counter(values)
    if unknown := names.keys() - counts.keys():
        raise DataError(
            f"--label-name: no row has the label {min(unknown)!r}; the labels are {sorted(counts)[:20]}"
        )
    named = {value: names.get(value, name_label(value)) for value in counts}
    rows: Counter[str] = Counter()
    for value, count in counts.items():
        rows[named[value]] += count
    enough = {name for name in rows if name and rows[name] >= LEAST_ROWS}
    if len(enough) < 2:
        told = ", ".join(f"{name!r} ({count})" for name, count in rows.most_common(20))
        raise DataError(
            f"at least two labels with {LEAST_ROWS} rows or more are needed, got {told}; add rows"
        )
    return [
        LabelValue(value, named[value] if named[value] in enough else None, counts[value])
        for value in sorted(counts, key=lambda one: _order(named[one], one))
    ]


def name_label(value: str) -> str:
    """Return a label's name: the value without spaces around it, with a word before a number."""
    value = value.strip()
    return f"label_{value}" if re.fullmatch(r"-?\d+(\.0+)?", value) else value


def _order(name: str, value: str) -> tuple[int, float, str]:
    """Feelings from bad to good, numbers by size, all others by the alphabet."""
    number = float(value) if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", value) else 0.0
    tone = find_tone(name)
    return ("bad", "neither", "good").index(tone) if tone else 3, number, name


def find_tone(label: str) -> str | None:
    """Return good, bad or neither for the names of feelings, else None."""
    word = label.strip().lower()
    return "good" if word in _GOOD else "bad" if word in _BAD else "neither" if word in _NEITHER else None


def find_tones(labels: list[str]) -> dict[str, str]:
    """Return every label's tone where all are feelings, else none: ham is no better than spam."""
    tones = {label: tone for label in labels if (tone := find_tone(label))}
    return tones if len(tones) == len(labels) and {"good", "bad"} <= set(tones.values()) else {}
