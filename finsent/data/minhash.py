"""Pairs of many texts that are worth comparing, by MinHash (https://doi.org/10.1109/SEQUEN.1997.666900).

Of each of the 64 minima of a text one byte is kept. Texts are candidates where four bytes in a row, a band,
are equal, and where no fewer bytes are equal in all than texts as alike as the threshold would have: two
texts that are alike at the threshold have fewer once in a billion times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash
from scipy.stats import binom

from finsent.data.grams import hash_grams

HASHES = 64  # bytes of a signature
BAND = np.uint32  # four of them, read as one number
SEED = 1
CHUNK = 2_000  # texts that are signed at a time: their grams stay in the processor's cache
NEIGHBOURS = 4  # texts of an equal band with which each is paired, beside the first of them
MISSED = 1e-9

Signatures = NDArray[np.uint8]  # `(n, HASHES)`
Pairs = NDArray[np.int64]  # `(n, 2)` positions, the smaller one first


def sign(texts: Sequence[str]) -> Signatures:
    """Return the last byte of each minimum of each text."""
    signatures = np.empty((len(texts), HASHES), np.uint8)
    for start in range(0, len(texts), CHUNK):
        grams = hash_grams(texts[start : start + CHUNK])
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(grams.hashes, grams.starts, HASHES, SEED)
        signatures[start : start + CHUNK] = np.array(matrix.to_rows(), np.uint64) & np.uint64(0xFF)
    return signatures


def read_bands(signatures: Signatures) -> NDArray[np.uint32]:
    """Return the bands `(bands, n)` of signatures."""
    bands: NDArray[np.uint32] = signatures.view(BAND).T
    return bands


def pair_equal(band: NDArray[np.uint32]) -> Pairs:
    """Return pairs of places with an equal band: each with the next few, and with the first that has it."""
    ranked = band.astype(np.uint64) << np.uint64(32) | np.arange(len(band), dtype=np.uint64)
    ranked.sort()  # by band, then by place, so that every machine gives the same pairs
    keys, places = ranked >> np.uint64(32), (ranked & np.uint64(0xFFFFFFFF)).astype(np.int64)
    again = np.zeros(len(keys), bool)
    again[1:] = keys[1:] == keys[:-1]
    shared = again.copy()
    shared[:-1] |= again[1:]
    keys, places, begins = keys[shared], places[shared], ~again[shared]
    first = places[np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))]
    pairs = [np.stack([first, places], axis=1)[~begins]]
    for step in range(1, NEIGHBOURS + 1):
        near = keys[step:] == keys[:-step]
        pairs.append(np.stack([places[:-step], places[step:]], axis=1)[near])
    return _sort_pairs(np.concatenate(pairs), len(band))


def _sort_pairs(pairs: Pairs, count: int) -> Pairs:
    """Return each pair of places below `count` once."""
    numbers = np.unique(pairs[:, 0] * count + pairs[:, 1])
    return np.stack(np.divmod(numbers, count), axis=1)


def keep_likely(signatures: Signatures, pairs: Pairs, threshold: float) -> Pairs:
    """Return the pairs with as many equal bytes as texts have that are alike at the threshold."""
    least = binom.ppf(MISSED, HASHES, threshold)
    likely = [np.zeros(0, bool)]
    for start in range(0, len(pairs), CHUNK):
        left, right = pairs[start : start + CHUNK].T
        likely.append(np.count_nonzero(signatures[left] == signatures[right], axis=1) >= least)
    kept: Pairs = pairs[np.concatenate(likely)]
    return kept
