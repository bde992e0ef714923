"""Span corruption, the objective of T5 (https://arxiv.org/abs/1910.10683, section 3.1.4).

Gaps of some tokens are cut out of a sequence. A sentinel stands for each, and the decoder tells sentinel and
tokens of one after the other. The lengths are those of google-research/text-to-text-transfer-transformer,
`random_spans_helper`: with a share of 0.15 in gaps of 3, 568 tokens give 512 to read and 114 to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finsent.pretraining.packing import Example, Flags, Ids


@dataclass(frozen=True)
class SpanPlan:
    """How many tokens a sequence has, and how many of them stand in how many gaps.

    `inputs` and `targets` are the lengths of what is read and told, the end token included.
    """

    raw: int
    noise: int
    gaps: int

    @property
    def inputs(self) -> int:
        """Tokens to read."""
        return self.raw - self.noise + self.gaps + 1

    @property
    def targets(self) -> int:
        """Tokens to tell."""
        return self.noise + self.gaps + 1


def plan_spans(length: int, noise: float, mean_span: float) -> SpanPlan:
    """Return the plan of the longest sequence of which at most `length` tokens are left to read."""
    plan = _plan(2, noise, mean_span)
    while (longer := _plan(plan.raw + 1, noise, mean_span)).inputs <= length:
        plan = longer
    return plan


def _plan(raw: int, noise: float, mean_span: float) -> SpanPlan:
    tokens = min(max(round(raw * noise), 1), raw - 1)
    return SpanPlan(raw, tokens, min(max(round(tokens / mean_span), 1), tokens, raw - tokens))


def draw_gaps(plan: SpanPlan, random: np.random.Generator) -> Flags:
    """Return which tokens `(raw,)` stand in gaps: as many as planned, never the first, always the last."""
    gaps = _share_out(plan.noise, plan.gaps, random)
    between = _share_out(plan.raw - plan.noise, plan.gaps, random)
    lengths = np.stack([between, gaps], axis=1).ravel()
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def _share_out(items: int, parts: int, random: np.random.Generator) -> Ids:
    """Return the sizes of so many parts of `items`, none empty, every way equally likely."""
    cuts = np.sort(random.choice(items - 1, parts - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], cuts, [items]])).astype(np.int32)


def corrupt(ids: Ids, in_gap: Flags, sentinels: Sequence[int], end: int) -> Example:
    """Return what is read and what has to be told of a sequence."""
    return {
        "input_ids": _with_sentinels(ids, in_gap, sentinels, end),
        "labels": _with_sentinels(ids, ~in_gap, sentinels, end),
    }


def _with_sentinels(ids: Ids, left_out: Flags, sentinels: Sequence[int], end: int) -> NDArray[np.int64]:
    """Return tokens with a sentinel in the place of every run that is left out."""
    begins = left_out & ~np.concatenate([[False], left_out[:-1]])
    marked = ids.astype(np.int64)
    marked[begins] = sentinels[: int(begins.sum())]
    return np.append(marked[begins | ~left_out], end)


def restore(inputs: NDArray[np.int64], labels: NDArray[np.int64], sentinels: Sequence[int]) -> list[int]:
    """Return the sequence that was corrupted: each sentinel is replaced by what is told behind it."""
    told: dict[int, list[int]] = {}
    marks, last = set(sentinels), -1
    for token in labels[:-1].tolist():
        if token in marks:
            last = token
            told[last] = []
        else:
            told[last].append(token)
    return [one for token in inputs[:-1].tolist() for one in told.get(token, [token])]
