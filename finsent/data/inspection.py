"""What a person should see of the rows before a training: counts, lengths, what was dropped, cautions."""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from finsent.cautions import (
    ScriptWords,
    TextFigures,
    find_label_cautions,
    find_unknown_caution,
    percent,
)
from finsent.data.duplicates import SPLITS
from finsent.data.rows import Row
from finsent.data.splits import Splits
from finsent.data.unlabelled import TextsReport
from finsent.recipe.recipe import Recipe
from finsent.text import comparable

SAMPLE = 10_000  # rows whose texts are read; more would take long and move no figure
UNEVEN = 20  # times as many rows in one class as in another
Measure = Callable[[Sequence[str]], TextFigures]


@dataclass(frozen=True)
class Lengths:
    """Of the texts that were read: median, 95th percentile and most, the bound, and the share beyond it."""

    median: int
    p95: int
    most: int
    bound: int
    over: float


@dataclass(frozen=True)
class Inspection:
    """What was found. `rows` is split -> label -> rows; `sampled` is how many texts lengths and words are of.

    `leaked` counts texts that stand in two splits. `look_alikes` are labels that differ in case, spaces or
    signs alone. `dropped` counts records that are in no split, by reason, and `examples` shows some of them.
    """

    read: dict[str, int]
    rows: dict[str, dict[str, int]]
    dropped: dict[str, int]
    examples: dict[str, list[str]]
    near_duplicate_groups: int
    near_duplicate_method: str
    leaked: int
    sampled: int
    characters: Lengths
    tokens: Lengths
    scripts: dict[str, ScriptWords]
    look_alikes: list[list[str]]
    imbalance: float
    cautions: list[str]
    unlabelled: dict[str, TextsReport] = field(default_factory=dict)


def inspect_splits(recipe: Recipe, splits: Splits, measure: Measure) -> Inspection:
    """Return what is worth knowing of the rows; `measure` reads texts as the recipe's base does."""
    rows: dict[str, dict[str, int]] = {split: splits.report.labels[split] for split in SPLITS}
    sample = _draw_sample([row for split in SPLITS for row in splits[split]], recipe.seed)
    figures = measure([row.text for row in sample])
    characters = _lengths(figures.characters, recipe.text.max_characters)
    counts = [rows["train"].get(label, 0) for label in recipe.labels]
    look_alikes = find_look_alikes(recipe)
    return Inspection(
        read=splits.report.read,
        rows=rows,
        dropped=splits.report.dropped(),
        examples=splits.examples,
        near_duplicate_groups=splits.report.near_duplicate_groups,
        near_duplicate_method=splits.report.near_duplicate_method,
        leaked=count_leaks(splits),
        sampled=len(sample),
        characters=characters,
        tokens=_lengths(figures.tokens, recipe.training.max_tokens),
        scripts=figures.scripts,
        look_alikes=look_alikes,
        imbalance=max(counts) / max(1, min(counts)),
        cautions=[
            *find_label_cautions(rows, recipe.labels),
            *find_unknown_caution(figures.scripts),
            *_find_cautions(recipe, characters, counts, look_alikes),
        ],
    )


def _find_cautions(
    recipe: Recipe, characters: Lengths, counts: list[int], look_alikes: list[list[str]]
) -> list[str]:
    told = [
        f"The labels {' and '.join(map(repr, group))} look alike: are they the same label?"
        for group in look_alikes
    ]
    if characters.over:
        told.append(
            f"{percent(characters.over)} of the texts are cut after {characters.bound:,} characters "
            "(text.max_characters); the rest has no effect."
        )
    if max(counts) > UNEVEN * min(counts):
        rarest = recipe.labels[int(np.argmin(counts))]
        told.append(
            f"The label {rarest!r} has {min(counts):,} training rows, the most frequent {max(counts):,}: "
            "watch macro F1, and try training.class_weights: root."
        )
    return told


def _draw_sample(rows: list[Row], seed: int) -> list[Row]:
    return rows if len(rows) <= SAMPLE else random.Random(seed).sample(rows, SAMPLE)


def _lengths(values: list[int], bound: int) -> Lengths:
    median, p95, most = (int(value) for value in np.quantile(values, [0.5, 0.95, 1], method="lower"))
    return Lengths(median, p95, most, bound, over=float(np.mean(np.array(values) > bound)))


def find_look_alikes(recipe: Recipe) -> list[list[str]]:
    """Return labels, of the recipe and of its sources, that look alike and are not taken for the same."""
    spelled: dict[str, dict[str, str]] = defaultdict(dict)  # plain form -> spelling -> label of the recipe
    for source in recipe.data.sources:
        for own, label in source.labels.items():
            spelled[_plain_label(str(own))][str(own)] = label or ""
    for label in recipe.labels:
        spelled[_plain_label(label)].setdefault(label, label)
    return [sorted(forms) for forms in spelled.values() if len(set(forms.values())) > 1]


def _plain_label(label: str) -> str:
    """Return letters, digits and marks in lower case; of a label without any, what it is."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LNM") or folded.strip()


def count_leaks(splits: Splits) -> int:
    """Return how many texts stand in more than one split, by their letters and digits."""
    validation, test = ({comparable(row.text) for row in part} for part in (splits.validation, splits.test))
    held_out = validation | test
    learnt = {key for row in splits.train if (key := comparable(row.text)) in held_out}
    return len((learnt | (validation & test)) - {""})
