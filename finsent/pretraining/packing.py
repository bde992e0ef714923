"""Tokens of many texts in sequences of one length: nothing is padded, and every token stands in one of them.

Texts follow each other with a separator behind each, and a sequence may begin in the middle of a text
(https://arxiv.org/abs/1910.10683, section 3.1.3). What is left at the end fills no sequence and goes: fewer
tokens than a sequence has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Flags = NDArray[np.bool_]
Example = dict[str, NDArray[np.int64]]  # what a model takes: `input_ids` and `labels`


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text `(n,)`, and which of them begin a word."""

    ids: Ids
    starts: Flags


@dataclass(frozen=True)
class Packed:
    """Sequences `(n, size)` of tokens, which of them begin a word, and what packing saved.

    `padding_unpacked` is the share of padding if every text had sequences of its own.
    """

    ids: Ids
    starts: Flags
    left_over: int
    padding_unpacked: float

    def __len__(self) -> int:
        """Return how many sequences there are."""
        return len(self.ids)


def pack(texts: Iterable[Tokens], separator: int, size: int) -> Packed:
    """Pack texts in their order into sequences of `size` tokens; `separator` ends each text."""
    found = list(texts)
    end = Tokens(np.array([separator], np.int32), np.array([True]))
    parts = [part for text in found for part in (text, end)]
    ids = np.concatenate([np.empty(0, np.int32), *(part.ids for part in parts)])
    starts = np.concatenate([np.empty(0, np.bool_), *(part.starts for part in parts)])
    count = len(ids) // size
    used = count * size
    rows = sum(-(-(len(text.ids) + 1) // size) for text in found)  # rounded up
    return Packed(
        ids=ids[:used].reshape(count, size),
        starts=starts[:used].reshape(count, size),
        left_over=len(ids) - used,
        padding_unpacked=1 - len(ids) / (rows * size) if rows else 0.0,
    )
