"""Rows whose texts are the same: one of them stays, and none where their labels differ.

Copies are found by their letters and digits. Those with different labels conflict only where the model sees
no difference either: "great :)" and "great :(" are two texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from finsent.data.rows import Row
from finsent.recipe.data import SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
Identify = Callable[[Sequence[str]], Sequence[Hashable]]  # texts -> what the model sees, equal where it is


@dataclass(frozen=True)
class Resolved:
    """The rows that stay, in the order of their first copies, with their keys, and those that went."""

    stay: list[Row] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    repeated: list[Row] = field(default_factory=list)
    conflicting: list[Row] = field(default_factory=list)


def resolve_duplicates(rows: list[Row], keys: list[str], identify: Identify | None) -> Resolved:
    """Settle copies by `keys`, the comparable form of each row's text; one that is empty counts as it is.

    Without `identify` all copies with different labels conflict.
    """
    same, later = _find_copies(rows, keys)
    seen = _see_disputed(same.values(), identify)
    found = Resolved()
    for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
        if place in later:
            continue
        agreed = _drop_conflicts(same[place], seen, found.conflicting) if place in same else [row]
        for label in dict.fromkeys(one.label for one in agreed):
            _keep_one([one for one in agreed if one.label == label], key, found)
    return found


def _find_copies(rows: list[Row], keys: list[str]) -> tuple[dict[int, list[Row]], set[int]]:
    """Return the rows with a text of several, by the place of the first, and the places of the others."""
    first: dict[str, int] = {}
    same: dict[int, list[Row]] = {}
    later: set[int] = set()
    for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
        earlier = first.setdefault(key or row.text, place)
        if earlier != place:
            same.setdefault(earlier, [rows[earlier]]).append(row)
            later.add(place)
    return same, later


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


def _keep_one(copies: list[Row], key: str, found: Resolved) -> None:
    """Keep the row of a test file before one of a validation file before any other, else the first."""
    kept = max(copies, key=lambda row: SPLITS.index(row.split))
    found.stay.append(kept)
    found.keys.append(key)
    found.repeated.extend(row for row in copies if row is not kept)


def _labels(rows: list[Row]) -> int:
    return len({row.label for row in rows})
