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
    """What stands in the table, the name that the release gives it (None: too few rows), and its rows."""

    value: str
    name: str | None
    rows: int


def find_labels(values: list[str], names: dict[str, str]) -> list[LabelValue]:
    """Return the labels in the order of the release; `names` are those that a person gave, by value.

    DataError: a name is given for a value that is not there, or fewer than two labels have enough rows.
    """
    counts = Counter(value.strip() for value in values if value.strip())
    if unknown := names.keys() - counts.keys():
        raise DataError(f"--label-name: no row is labelled {min(unknown)!r}; labels are {sorted(counts)[:20]}")
    found = [
        LabelValue(value, names.get(value, name_label(value)) if counts[value] >= LEAST_ROWS else None, count)
        for value, count in sorted(counts.items(), key=lambda item: _order(item[0]))
    ]
    if len({one.name for one in found if one.name}) < 2:
        told = ", ".join(f"{one.value!r} ({one.rows})" for one in found[:20])
        raise DataError(f"two labels with {LEAST_ROWS} rows or more are needed, got {told}; add rows")
    return found


def name_label(value: str) -> str:
    """Return a label's name: the value itself, with a word before a number."""
    return f"label_{value}" if re.fullmatch(r"-?\d+(\.0+)?", value) else value


def _order(value: str) -> tuple[int, float, str]:
    """Numbers by size, feelings from bad to good, all others by the alphabet."""
    number = float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else 0.0
    tone = find_tone(value)
    return ("bad", "neither", "good").index(tone) if tone else 3, number, value


def find_tone(label: str) -> str | None:
    """Return good, bad or neither for the names of feelings, else None."""
    word = label.strip().lower()
    return "good" if word in _GOOD else "bad" if word in _BAD else "neither" if word in _NEITHER else None


def find_tones(labels: list[str]) -> dict[str, str]:
    """Return the tone of every label where all of them are feelings, else none: ham is no better than spam."""
    tones = {label: tone for label in labels if (tone := find_tone(label))}
    return tones if len(tones) == len(labels) and {"good", "bad"} <= set(tones.values()) else {}
