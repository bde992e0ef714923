"""From rows to splits: duplicates resolved, near-duplicates kept together, test kept out of training.

The rules, in this order:
1. Rows whose texts are the same count once, and not at all where their labels differ
   (`finsent.data.duplicates`). The row of a file made for testing stays before one for validation before any
   other.
2. Rows are tied together by their source's group column and by near-duplicate texts (char-5-gram Jaccard).
3. A file made for a split keeps its rows there, but a training row tied to a test or validation row is
   dropped.
4. What remains of training files is shared out by a hash of the seed and the group, so a row never changes
   sides because other rows were added, unless one of them is tied to it. Where a label has too few groups for
   chance to be even, they are placed at equal distances instead (`finsent.data.drawing`).

In a cross-validation (`data.fold`) rule 3 and the preference in rule 1 fall away: files made for a split are
shared out like all others, and the test rows of the folds together are all rows, each once.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from finsent.data.drawing import Group, draw_splits
from finsent.data.duplicates import SPLITS, Identify, resolve_duplicates
from finsent.data.minhash import Pairs
from finsent.data.near_duplicates import choose_method, connect, find_near_duplicates
from finsent.data.report import CONFLICTING, REPEATED, TIED, DataReport
from finsent.data.rows import MOST_EXAMPLES, Row, SourceRows
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.errors import DataError
from finsent.recipe.data import Data, SplitName
from finsent.recipe.pretraining import LabelledRows
from finsent.recipe.recipe import Recipe
from finsent.text import comparable

__all__ = ["SPLITS", "Splits", "fingerprint", "fingerprint_in_order", "load_splits", "split_rows"]


@dataclass(frozen=True)
class Splits:
    """Three disjoint sets of rows and what was found while making them.

    `examples` are some texts of rows that are in none of them, by reason.
    """

    train: list[Row]
    validation: list[Row]
    test: list[Row]
    report: DataReport
    examples: dict[str, list[str]] = field(default_factory=dict)

    def __getitem__(self, split: SplitName) -> list[Row]:
        """Return the rows of a split by its name."""
        return cast("list[Row]", getattr(self, split))


def load_splits(
    recipe: Recipe | LabelledRows, mirror: Path | None = None, identify: Identify | None = None
) -> Splits:
    """Read all sources of a recipe and return checked, disjoint splits. `mirror` is searched before the Hub.

    `identify` tells what the model sees of texts, for copies with different labels; without it they conflict.
    Raises DataError: a source cannot be read, or a label has too few rows for all splits.
    """
    places = Places(mirror, recipe.home)
    sources = {source.name: read_source(source, places, recipe.seed) for source in recipe.data.sources}
    splits = split_rows(sources, recipe.data, recipe.seed, identify)
    check_labels(splits, recipe)
    return splits


def check_labels(splits: Splits, recipe: Recipe | LabelledRows) -> None:
    """Raise DataError if a label lacks rows; a test split that is all files' may lack a label."""
    own = {"test"} if all("test" in source.own_splits for source in recipe.data.sources) else set()
    needed: list[SplitName] = [split for split in SPLITS if split not in own or recipe.data.fold]
    for split in SPLITS:
        if not splits[split]:
            raise DataError(f"{split}: no rows; raise data.{split} of the recipe, or give a file for it")
    for label in recipe.labels:
        counts = {split: splits.report.labels[split].get(label, 0) for split in SPLITS}
        if all(counts[split] for split in needed):
            continue
        told = ", ".join(f"{count} in {split}" for split, count in counts.items())
        raise DataError(
            f"label {label!r} has too few rows: {told}. Add rows with it; or leave it out with "
            f"`labels: {{{_name_in_source(recipe, label)}: null}}` in its source, and leave it out of the "
            "labels of the recipe; or map it to another label there"
        )


def _name_in_source(recipe: Recipe | LabelledRows, label: str) -> str:
    named = (own for source in recipe.data.sources for own, to in source.labels.items() if to == label)
    return str(next(named, label))


def split_rows(
    sources: dict[str, SourceRows], data: Data, seed: int, identify: Identify | None = None
) -> Splits:
    """Apply the rules at the top of this module to the rows of every source."""
    rows = [row for source in sources.values() for row in source.rows]
    if data.fold is not None:
        rows = [replace(row, split="train") for row in rows]
    resolved = resolve_duplicates(rows, [comparable(row.text) for row in rows], identify)
    groups, tied_groups = _tie_rows(resolved.stay, resolved.keys, data.near_duplicates)
    resolved.keys.clear()  # as large as the texts, and not needed any more
    placed, tied = _place_rows(resolved.stay, groups, data, seed)
    by_split = {split: [row for row in placed if row.split == split] for split in SPLITS}
    report = DataReport(
        read={name: len(source.rows) for name, source in sources.items()},
        left_out=dict(sum((Counter(source.left_out) for source in sources.values()), Counter())),
        duplicates=len(resolved.repeated),
        conflicting=len(resolved.conflicting),
        near_duplicate_groups=tied_groups,
        tied_to_held_out=len(tied),
        counts={split: dict(Counter(row.source for row in rows)) for split, rows in by_split.items()},
        labels={
            split: dict(sorted(Counter(row.label for row in rows).items()))
            for split, rows in by_split.items()
        },
        fingerprints={split: fingerprint(rows) for split, rows in by_split.items()},
        near_duplicate_method=choose_method(len(resolved.stay)),
    )
    dropped = {REPEATED: resolved.repeated, CONFLICTING: resolved.conflicting, TIED: tied}
    examples = {reason: texts for source in sources.values() for reason, texts in source.examples.items()}
    examples |= {why: [row.text for row in rows[:MOST_EXAMPLES]] for why, rows in dropped.items() if rows}
    return Splits(by_split["train"], by_split["validation"], by_split["test"], report, examples)


def fingerprint(rows: Iterable[Row]) -> str:
    """Return the sha256 of texts, labels and sources, in whatever order they stand."""
    return _digest(sorted(_write_rows(rows)))


def fingerprint_in_order(rows: Iterable[Row]) -> str:
    """Return the sha256 of rows as they stand: of what is kept a row, such as answers to them."""
    return _digest(_write_rows(rows))


def _write_rows(rows: Iterable[Row]) -> Iterator[str]:
    write = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make one a row
    return (write([row.text, row.label, row.source]) for row in rows)


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for number, line in enumerate(lines):  # not joined: of a million rows that would be a copy of them all
        digest.update((f"\n{line}" if number else line).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _tie_rows(rows: list[Row], keys: list[str], threshold: float) -> tuple[list[str], int]:
    """Return a group name a row, equal where rows must not be parted, and how many groups are of several."""
    pairs = np.concatenate([_find_ties(rows, keys), find_near_duplicates(keys, threshold)])
    component = connect(pairs, len(rows))
    sizes = np.bincount(component)
    groups, names = [row.text for row in rows], dict[int, str]()
    for index in sorted(np.flatnonzero(sizes[component] > 1).tolist(), key=keys.__getitem__):
        # the smallest text names the group, however many rows come
        groups[index] = names.setdefault(int(component[index]), rows[index].text)
    return groups, int((sizes > 1).sum())


def _find_ties(rows: list[Row], keys: list[str]) -> Pairs:
    """Return each row with the first that has its key, and with the first of its source's group."""
    first: dict[str | tuple[str, str], int] = {}
    pairs = []
    for index, (row, key) in enumerate(zip(rows, keys, strict=True)):
        for tie in (key, (row.source, row.group) if row.group else ""):
            if tie and (earlier := first.setdefault(tie, index)) != index:
                pairs.append((earlier, index))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _place_rows(rows: list[Row], groups: list[str], data: Data, seed: int) -> tuple[list[Row], list[Row]]:
    """Return rows with their final split, and those that went because of a tie to held-out ones."""
    fixed: dict[str, SplitName] = {}
    for row, group in zip(rows, groups, strict=True):
        if row.split != "train" and SPLITS.index(row.split) > SPLITS.index(fixed.get(group, "train")):
            fixed[group] = row.split
    drawn = draw_splits(_describe_groups(rows, groups, fixed, data), data, seed)
    placed, tied = [], []
    for row, group in zip(rows, groups, strict=True):
        held_out = fixed.get(group)
        if held_out is not None and row.split != held_out:
            tied.append(row)
        else:
            placed.append(_move(row, held_out or drawn[group]))
    return placed, tied


def _move(row: Row, split: SplitName) -> Row:
    return row if row.split == split else replace(row, split=split)


def _describe_groups(
    rows: list[Row], groups: list[str], fixed: dict[str, SplitName], data: Data
) -> dict[str, Group]:
    """Return the groups to be drawn; closed is what any source that a group has rows of brings files for.

    Groups that are alike are one object: of a million that saves a gigabyte.
    """
    own: dict[str, set[SplitName]] = {
        source.name: set() if data.fold else source.own_splits & {"validation", "test"}
        for source in data.sources
    }

    @functools.cache
    def add(group: Group, label: str, source: str) -> Group:
        return Group(group.labels | {label}, group.closed | own[source])

    nothing = Group(frozenset(), frozenset())
    described: dict[str, Group] = {}
    for row, name in zip(rows, groups, strict=True):
        if name not in fixed:
            described[name] = add(described.get(name, nothing), row.label, row.source)
    return described
