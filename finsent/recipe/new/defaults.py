"""How a recipe trains, by how many rows and labels there are and how long the texts are.

Small sets need many passes and small batches, large ones few and large ones: what counts is the number of
steps. The learning rate and the frozen embeddings are the quickstart's, for which they were measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = 400  # below, a fresh head has not settled
LEARNING_RATE = 1.5e-4
MOST_EPOCHS = 40
SMALL = 1000  # rows; below, shares for validation and test are larger, or they would hold a few rows a label
TEST_ROWS = 3000  # more do not make an interval that matters narrower, and cost time at every file
SPECIAL_TOKENS = 2  # [CLS] and [SEP]
LONGEST = 256  # tokens trained on; twice as many cost twice the time
USUAL_BOUND, LONGEST_BOUND = 500, 2000  # characters; beyond the first, positions are added to the encoder
SPARE = 12  # positions beyond the bound, as finsent/encoder/positions.py wants
MARKUP = {
    "drop_tags": (re.compile(r"<(?:br|p|div|span|a|b|i)\b[^>]*>", re.IGNORECASE), "HTML tags"),
    "decode_entities": (re.compile(r"&(?:amp|lt|gt|quot|nbsp|#39);"), "HTML entities"),
}
LEAST_MARKUP = 0.01  # share of texts from which a rule is worth its time


@dataclass(frozen=True)
class Choice:
    """A value of a recipe and why it was chosen."""

    value: float | int | str | bool
    reason: str = ""


def choose_shares(rows: int) -> tuple[float, float]:
    """Return the shares of rows for validation and for test."""
    if rows < SMALL:
        return 0.15, 0.25
    test = min(0.15, max(0.005, round(TEST_ROWS / rows, 3)))
    return round(test * 2 / 3, 3), test


def choose_text(texts: Sequence[str], characters: int) -> dict[str, Choice]:
    """Return the section `text`: rules for what is in the texts, and a bound above `characters`.

    99 of 100 texts are no longer than that.
    """
    chosen: dict[str, Choice] = {}
    for name, (pattern, what) in MARKUP.items():
        share = sum(pattern.search(text) is not None for text in texts) / max(1, len(texts))
        if share >= LEAST_MARKUP:
            chosen[name] = Choice(True, f"{share:.0%} of the texts contain {what}")
    if characters > USUAL_BOUND:
        bound = min(LONGEST_BOUND, math.ceil(characters / 100) * 100)
        chosen["max_characters"] = Choice(bound, f"99 of 100 texts have at most {characters:,} characters")
    return chosen


def choose_training(rows: int, rarest: int, most: int, tokens: int) -> dict[str, Choice]:
    """Return the section `training` for `rows` of training; labels have `rarest` to `most` rows.

    `tokens` is the length that 99 of 100 texts stay below.
    """
    batch = 16 if rows < SMALL else 32 if rows < 50_000 else 64
    epochs = _choose_epochs(rows, batch)
    steps = math.ceil(rows / batch) * epochs
    chosen = {
        "epochs": Choice(epochs, f"{steps:,} steps with about {rows:,} rows in batches of {batch}"),
        "batch_size": Choice(batch),
        "learning_rate": Choice(LEARNING_RATE),
        "freeze_embeddings": Choice(True),
        "evaluations": Choice(5, "the best of these is kept"),
        "patience": Choice(5),
        "max_tokens": Choice(_choose_tokens(tokens), f"99 of 100 texts have at most {tokens}"),
    }
    if most > 4 * rarest:
        reason = f"the rarest label has {rarest:,} rows, the most frequent {most:,}"
        chosen["class_weights"] = Choice("root", reason)
    return chosen


def _choose_epochs(rows: int, batch: int) -> int:
    enough = math.ceil(STEPS * batch / max(1, rows))
    least = 5 if rows < 10_000 else 3 if rows < 50_000 else 2 if rows < 200_000 else 1
    return min(MOST_EPOCHS, max(least, enough))


def _choose_tokens(tokens: int) -> int:
    """Round up to a multiple of 8, which the kernels like."""
    return min(LONGEST, max(32, math.ceil((tokens + SPECIAL_TOKENS) / 8) * 8))


def choose_budget(test_rows: int) -> dict[str, Choice]:
    """Return what the quantized file may lose: the usual, or two rows where the test split is small."""
    few = round(2 / max(1, test_rows), 3)
    told = f"two of about {test_rows} test rows"
    return {
        name: Choice(max(usual, few), told if few > usual else "")
        for name, usual in (("macro_f1_drop", 0.015), ("flip_share", 0.06))
    }
