"""Masked language modelling of whole words (https://arxiv.org/abs/1810.04805, and its README of May 2019).

Of a share of the tokens, whole words at a time, 80 % become the mask, 10 % a token at random, and 10 % stay.
All of them have to be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finsent.pretraining.packing import Example, Flags, Ids

IGNORED = -100  # label of a token that need not be told
MASKED, REPLACED = 0.8, 0.9  # below the first a token is masked, below the second replaced


@dataclass(frozen=True)
class Frame:
    """The ids that masking needs: those around a sequence, the mask, and all that a text may become."""

    first: int
    last: int
    mask: int
    ordinary: Ids


def mask_words(
    ids: Ids, starts: Flags, random: np.random.Generator, *, frame: Frame, noise: float
) -> Example:
    """Return the inputs and labels `(n + 2,)` of a sequence `(n,)`; separators in it are never masked."""
    chosen = choose_words(starts, ids != frame.last, noise, random)
    fate = random.random(len(ids))
    seen = np.where(chosen & (fate < MASKED), frame.mask, ids)
    replaced = chosen & (fate >= MASKED) & (fate < REPLACED)
    seen = np.where(replaced, random.choice(frame.ordinary, len(ids)), seen)
    labels = np.where(chosen, ids, IGNORED)
    return {
        "input_ids": np.concatenate([[frame.first], seen, [frame.last]]).astype(np.int64),
        "labels": np.concatenate([[IGNORED], labels, [IGNORED]]).astype(np.int64),
    }


def choose_words(starts: Flags, maskable: Flags, noise: float, random: np.random.Generator) -> Flags:
    """Return which tokens are chosen: whole words, as near to the share of `noise` as words allow."""
    words = np.cumsum(starts | (np.arange(len(starts)) == 0)) - 1
    sizes = np.bincount(words[maskable], minlength=words[-1] + 1)
    order = random.permutation(np.flatnonzero(sizes))
    if not len(order):
        return np.zeros(len(starts), np.bool_)
    reached = np.cumsum(sizes[order])
    count = 1 + int(np.argmin(np.abs(reached - noise * maskable.sum())))
    chosen: Flags = np.isin(words, order[:count]) & maskable
    return chosen
