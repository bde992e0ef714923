"""Texts as sets of hashed grams of five characters, the same that scikit-learn's `char_wb` makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

SIZE = 5
SPACE, END = 32, 10  # code points: around words, and behind each text
FACTORS = (1, 0x9E3779B1, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5, 0xD6E8FEB86659FD93)

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Grams:
    """Hashes of all texts one behind the other; those of text i are `hashes[starts[i]:starts[i + 1]]`."""

    hashes: Hashes
    starts: NDArray[np.uint64]

    def matrix(self) -> csr_matrix[Any]:
        """Return which text has which gram, as ones; columns are numbered for these texts alone."""
        names, columns = np.unique(self.hashes, return_inverse=True)
        shape = (len(self.starts) - 1, len(names))
        found = csr_matrix((np.ones(len(columns), np.int32), columns, self.starts.astype(np.int64)), shape)
        found.sum_duplicates()
        found.data[:] = 1
        return found


def hash_grams(texts: Sequence[str]) -> Grams:
    """Return the grams of texts in which single spaces part the words, as `comparable` makes them."""
    joined = "".join(f" {text} \n" for text in texts) + "\n" * SIZE
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = _gram_lengths(codes)
    begins = np.flatnonzero(lengths)
    hashes = np.zeros(len(begins), np.uint64)
    for place, factor in enumerate(FACTORS):
        inside = lengths[begins] > place
        hashes += np.where(inside, codes[begins + place], 0).astype(np.uint64) * np.uint64(factor)
    ends = np.flatnonzero(codes == END)[: len(texts)]
    starts = np.concatenate([[0], np.searchsorted(begins, ends)]).astype(np.uint64)
    return Grams(_mix(hashes), starts)


def _gram_lengths(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the length of the gram that begins at each place, 0 where none does.

    A gram lies within one word and the spaces around it; a word of one or two letters is one as a whole.
    """
    count = len(codes) - SIZE
    space, end = ([(codes == code)[place : place + count] for place in range(SIZE)] for code in (SPACE, END))
    within = ~(end[0] | end[1] | space[1])
    lengths = np.zeros(count, np.uint8)
    lengths[within & space[0] & space[2]] = 3
    lengths[within & space[0] & space[3] & ~(space[2] | end[2])] = 4
    lengths[within & ~(space[2] | space[3] | end[2] | end[3] | end[4])] = SIZE
    return lengths


def _mix(hashes: Hashes) -> Hashes:
    """Spread the sums over all bits (the finalizer of splitmix64)."""
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
