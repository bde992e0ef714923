"""Figures of texts as a model sees them, and what a person should be told about them and their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FEW_TEST_ROWS = 100  # from so many on, an accuracy of 0.8 is known to within 8 points
MANY_UNKNOWN = 0.01  # of words
Labels = Mapping[str, Mapping[str, int]]  # split -> label -> rows


@dataclass(frozen=True)
class ScriptWords:
    """Words of one script, and how many of them the tokenizer has no piece for, at least in part."""

    words: int
    unknown: int


@dataclass(frozen=True)
class TextFigures:
    """Of some texts, one by one: characters after cleaning, tokens, whether the bound cuts them.

    `scripts` counts all their words, by script.
    """

    characters: list[int]
    tokens: list[int]
    cut: list[bool]
    scripts: dict[str, ScriptWords]


def unknown_share(scripts: Mapping[str, ScriptWords]) -> float:
    """Return the share of words that are unknown, 0 where there are no words."""
    words = sum(one.words for one in scripts.values())
    return sum(one.unknown for one in scripts.values()) / words if words else 0.0


def percent(share: float) -> str:
    """Return a share as a person reads it; a share that is not zero is never written as zero."""
    return f"{100 * share:.1f} %" if share == 0 or share >= 0.0005 else "less than 0.1 %"


def find_label_cautions(labels: Labels, names: list[str]) -> list[str]:
    """Return what to know about the test rows of a data set."""
    test = labels.get("test", {})
    count = sum(test.values())
    told = []
    if count < FEW_TEST_ROWS:
        told.append(f"The test split has {count} rows: too few to tell a good release from a mediocre one.")
    if missing := [name for name in names if not test.get(name)]:
        told.append(f"No test row has the label {', '.join(map(repr, missing))}: nothing is known about it.")
    return told


def find_unknown_caution(scripts: Mapping[str, ScriptWords]) -> list[str]:
    """Return what to know about words that the tokenizer has no piece for."""
    if (share := unknown_share(scripts)) <= MANY_UNKNOWN:
        return []
    most = sorted(
        (name for name in scripts if scripts[name].unknown), key=lambda name: -scripts[name].unknown
    )
    parts = (
        f"{name.capitalize()} {percent(scripts[name].unknown / scripts[name].words)}" for name in most[:3]
    )
    return [
        f"{percent(share)} of the words are unknown to the tokenizer, so the model cannot tell them apart "
        f"(by script: {', '.join(parts)})."
    ]
