"""Rows whose texts are the same: one of them stays, and none where their labels differ.

Copies are found by their letters and digits. Those with different labels conflict only where the model sees
no difference either: "great :)" and "great :(" are two texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from finsent.data.rows import Row
from finsent.recipe.data import SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
Identify = Callable[[Sequence[str]], Sequence[Hashable]]  # texts -> what the model sees, equal where it is


@dataclass(frozen=True)
class Resolved:
    """The rows that stay, in the order of their first copies, and those that went."""

    stay: list[Row]
    repeated: list[Row]
    conflicting: list[Row]


def resolve_duplicates(rows: list[Row], keys: list[str], identify: Identify | None) -> Resolved:
    """Settle copies by `keys`, the comparable form of each row's text; one that is empty counts as it stands.

    Without `identify` all copies with different labels conflict.
    """
    same: dict[str, list[Row]] = defaultdict(list)
    for row, key in zip(rows, keys, strict=True):
        same[key or row.text].append(row)
    seen = _see_disputed(same.values(), identify)
    found = Resolved([], [], [])
    for copies in same.values():
        agreed = _drop_conflicts(copies, seen, found.conflicting)
        for label in dict.fromkeys(row.label for row in agreed):
            _keep_one([row for row in agreed if row.label == label], found)
    return found


def _see_disputed(groups: Iterable[list[Row]], identify: Identify | None) -> dict[str, Hashable]:
    """Return what the model sees of each text that has copies with another label."""
    texts = {row.text: None for copies in groups if _labels(copies) > 1 for row in copies}
    return dict(zip(texts, identify(list(texts)), strict=True)) if identify else dict(texts)


def _drop_conflicts(copies: list[Row], seen: dict[str, Hashable], conflicting: list[Row]) -> list[Row]:
    """Return the copies without those that look like one with another label; these are noted."""
    if _labels(copies) == 1:
        return copies
    alike: dict[Hashable, list[Row]] = defaultdict(list)
    for row in copies:
        alike[seen[row.text]].append(row)
    conflicting.extend(row for row in copies if _labels(alike[seen[row.text]]) > 1)
    return [row for row in copies if _labels(alike[seen[row.text]]) == 1]


def _keep_one(copies: list[Row], found: Resolved) -> None:
    """Keep the row of a test file before one of a validation file before any other, else the first."""
    kept = max(copies, key=lambda row: SPLITS.index(row.split))
    found.stay.append(kept)
    found.repeated.extend(row for row in copies if row is not kept)


def _labels(rows: list[Row]) -> int:
    return len({row.label for row in rows})
