"""From rows to splits: duplicates resolved, near-duplicates kept together, test kept out of training.

The rules, in this order:
1. Rows whose texts are the same (letters and digits, links ignored) count once. Where their labels differ,
   all of them are dropped; else the row of a file made for testing stays before one for validation before any
   other.
2. Rows are tied together by their source's group column and by near-duplicate texts (char-5-gram Jaccard).
3. A file made for a split keeps its rows there, but a training row tied to a test or validation row is
   dropped.
4. What remains of training files is shared out by a hash of the seed and the group, so a row never changes
   sides because other rows were added, unless one of them is tied to it.

In a cross-validation (`data.fold`) rule 3 and the preference in rule 1 fall away: files made for a split are
shared out like all others, and the test rows of the folds together are all rows, each once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from finsent.data.near_duplicates import find_near_duplicates
from finsent.data.report import DataReport
from finsent.data.rows import Row, SourceRows
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.errors import DataError
from finsent.recipe.data import Data, SplitName
from finsent.recipe.recipe import Recipe
from finsent.text import comparable

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """Three disjoint sets of rows and what was found while making them."""

    train: list[Row]
    validation: list[Row]
    test: list[Row]
    report: DataReport

    def __getitem__(self, split: SplitName) -> list[Row]:
        """Return the rows of a split by its name."""
        return cast("list[Row]", getattr(self, split))


def load_splits(recipe: Recipe, mirror: Path | None = None) -> Splits:
    """Read all sources of a recipe and return checked, disjoint splits. `mirror` stands before the Hub.

    Raises DataError: a source cannot be read, or a split or a label of it has no rows.
    """
    places = Places(mirror, recipe.home)
    sources = {source.name: read_source(source, places, recipe.seed) for source in recipe.data.sources}
    splits = split_rows(sources, recipe.data, recipe.seed)
    for split in SPLITS:
        _check_labels(splits, split, recipe.labels)
    return splits


def _check_labels(splits: Splits, split: SplitName, labels: list[str]) -> None:
    present = {row.label for row in splits[split]}
    if missing := [label for label in labels if label not in present]:
        share = "lower data.validation or data.test" if split == "train" else f"raise data.{split}"
        raise DataError(
            f"{split}: {len(splits[split])} rows, none with label {missing[0]!r}; add rows, or {share} "
            "of the recipe where no file is made for that split"
        )


def split_rows(sources: dict[str, SourceRows], data: Data, seed: int) -> Splits:
    """Apply the rules at the top of this module to the rows of every source."""
    rows = [row for source in sources.values() for row in source.rows]
    if data.fold is not None:
        rows = [replace(row, split="train") for row in rows]
    unique, duplicates, conflicting = _resolve_duplicates(rows)
    groups, tied_groups = _tie_rows(unique, data.near_duplicates)
    placed, tied = _place_rows(unique, groups, data, seed)
    by_split = {split: [row for row in placed if row.split == split] for split in SPLITS}
    report = DataReport(
        read={name: len(source.rows) for name, source in sources.items()},
        left_out=dict(sum((Counter(source.left_out) for source in sources.values()), Counter())),
        duplicates=duplicates,
        conflicting=conflicting,
        near_duplicate_groups=tied_groups,
        tied_to_held_out=tied,
        counts={split: dict(Counter(row.source for row in rows)) for split, rows in by_split.items()},
        labels={
            split: dict(sorted(Counter(row.label for row in rows).items()))
            for split, rows in by_split.items()
        },
        fingerprints={split: fingerprint(rows) for split, rows in by_split.items()},
    )
    return Splits(by_split["train"], by_split["validation"], by_split["test"], report)


def fingerprint(rows: Iterable[Row]) -> str:
    """Return the sha256 of texts, labels and sources, in whatever order they stand."""
    lines = sorted(json.dumps([row.text, row.label, row.source], ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _resolve_duplicates(rows: list[Row]) -> tuple[list[Row], int, int]:
    """Return the rows that stay, how many went as repeats and how many for conflicting labels."""
    same: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        same[comparable(row.text) or row.text].append(row)
    stay, duplicates, conflicting = [], 0, 0
    for copies in same.values():
        if len({row.label for row in copies}) > 1:
            conflicting += len(copies)
            continue
        stay.append(max(copies, key=lambda row: SPLITS.index(row.split)))
        duplicates += len(copies) - 1
    return stay, duplicates, conflicting


def _tie_rows(rows: list[Row], threshold: float) -> tuple[list[str], int]:
    """Return a group name a row, equal where rows must not be parted, and how many groups are of several."""
    pairs = find_near_duplicates([comparable(row.text) for row in rows], threshold)
    first: dict[tuple[str, str], int] = {}
    for index, row in enumerate(rows):
        if row.group:
            pairs.append((first.setdefault((row.source, row.group), index), index))
    left, right = (np.array([pair[side] for pair in pairs], dtype=int) for side in (0, 1))
    graph = csr_matrix((np.ones(len(pairs)), (left, right)), shape=(len(rows), len(rows)))
    _, component = connected_components(graph, directed=False)
    names: dict[int, str] = {}
    for index, row in sorted(enumerate(rows), key=lambda item: comparable(item[1].text)):
        names.setdefault(
            int(component[index]), row.text
        )  # the smallest text names the group, however many rows come
    return [names[int(number)] for number in component], int((np.bincount(component) > 1).sum())


def _place_rows(rows: list[Row], groups: list[str], data: Data, seed: int) -> tuple[list[Row], int]:
    """Return rows with their final split, and how many went because of a tie to held-out ones."""
    own = {
        source.name: set() if data.fold else source.own_splits & {"validation", "test"}
        for source in data.sources
    }  # splits that a source brings files for
    fixed: dict[str, SplitName] = {}
    for row, group in zip(rows, groups, strict=True):
        if row.split != "train" and SPLITS.index(row.split) > SPLITS.index(fixed.get(group, "train")):
            fixed[group] = row.split
    closed: dict[str, set[SplitName]] = defaultdict(set)  # to a group, by any source that it has rows of
    for row, group in zip(rows, groups, strict=True):
        closed[group] |= own[row.source]
    placed, tied = [], 0
    for row, group in zip(rows, groups, strict=True):
        held_out = fixed.get(group)
        if held_out is not None and row.split != held_out:
            tied += 1
            continue
        split = held_out or _draw_split(group, closed[group], data, seed)
        placed.append(replace(row, split=split))
    return placed, tied


def _draw_split(group: str, closed: set[SplitName], data: Data, seed: int) -> SplitName:
    """Place a group by the hash of its name; nothing is drawn for a split that is closed to it."""
    test = 0.0 if "test" in closed else data.test
    validation = 0.0 if "validation" in closed else data.validation
    digest = hashlib.sha256(f"{seed}:{group}".encode("utf-8", "surrogatepass")).digest()
    drawn = int.from_bytes(digest[:8], "big") / 2**64
    if data.fold is not None:  # turned, so that every fold takes another part of the same circle
        drawn = (drawn - data.fold.index / data.fold.of) % 1
        test = 1 / data.fold.of
    return "test" if drawn < test else "validation" if drawn < test + validation else "train"
