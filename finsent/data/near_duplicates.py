"""Which texts are nearly the same, by the grams of five characters that they share.

Up to EXACT_ROWS texts every pair with a gram in common is compared that is not frequent. With more, MinHash
finds the candidates (`finsent.data.minhash`): texts alike at the threshold of 0.7 are missed once in eighty
times, at 0.8 once in five thousand. Each candidate is then compared as exactly as in the first way, so no
pair is found that is not one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer
from tqdm import tqdm

from finsent.cli import say
from finsent.data.grams import hash_grams
from finsent.data.minhash import Pairs, keep_likely, pair_equal, read_bands, sign

EXACT_ROWS = 100_000  # what ten seconds to a minute are enough for on one core
FREQUENT_GRAM = 200  # documents; more frequent grams only slow the search for candidates down
BLOCK = 512  # rows compared with all others at a time
CHUNK = 20_000  # pairs worked on at a time, so that memory stays small

Method = Literal["exact", "minhash"]


def choose_method(count: int) -> Method:
    """Return how so many texts are compared."""
    return "exact" if count <= EXACT_ROWS else "minhash"


def find_near_duplicates(texts: list[str], threshold: float) -> Pairs:
    """Return pairs of positions whose char-5-gram Jaccard similarity reaches the threshold.

    The exact way returns all of them, MinHash enough to connect whatever it found connected.
    """
    if len(texts) < 2:
        return np.empty((0, 2), np.int64)
    return (
        _compare_all(texts, threshold)
        if choose_method(len(texts)) == "exact"
        else _compare_bands(texts, threshold)
    )


def _compare_all(texts: list[str], threshold: float) -> Pairs:
    """Compare texts that share a gram that is not frequent.

    Two texts that are alike always do, unless both are made of nothing but frequent grams. A block of rows at
    a time meets all others, so that memory stays small.
    """
    counter = CountVectorizer(analyzer="char_wb", ngram_range=(5, 5), binary=True, dtype=np.int32)
    try:
        grams = counter.fit_transform(texts).tocsr()
    except ValueError:  # no text has a gram
        return np.empty((0, 2), np.int64)
    sizes = np.asarray(grams.sum(axis=1)).ravel()
    rare = grams[:, np.asarray(grams.sum(axis=0)).ravel() <= FREQUENT_GRAM]
    frequent = sizes - np.asarray(rare.sum(axis=1)).ravel()
    others = rare.T.tocsr()
    found = []
    for start in range(0, len(texts), BLOCK):
        shared_rare = (rare[start : start + BLOCK] @ others).tocoo()
        left, right = shared_rare.row.astype(np.int64) + start, shared_rare.col.astype(np.int64)
        most = shared_rare.data + np.minimum(frequent[left], frequent[right])
        maybe = (left < right) & (most >= threshold * (sizes[left] + sizes[right] - most))
        found.append(_keep_alike(grams, np.stack([left[maybe], right[maybe]], axis=1), threshold))
    return np.concatenate(found)


def _keep_alike(grams: csr_matrix[Any], pairs: Pairs, threshold: float) -> Pairs:
    """Return the pairs whose similarity reaches the threshold; `grams` holds a one a gram of a text."""
    sizes, (left, right) = np.asarray(grams.sum(axis=1)).ravel(), pairs.T
    shared = np.asarray(grams[left].multiply(grams[right]).sum(axis=1)).ravel()
    alike: Pairs = pairs[(shared > 0) & (shared >= threshold * (sizes[left] + sizes[right] - shared))]
    return alike


def _compare_bands(texts: list[str], threshold: float) -> Pairs:
    """Compare the candidates of MinHash, band by band, leaving out whom earlier bands have connected."""
    say(f"  looking for near-duplicates among {len(texts):,} texts, by MinHash")
    signatures = sign(texts)
    found, component = [np.empty((0, 2), np.int64)], np.arange(len(texts), dtype=np.int32)
    shown, bands = sys.stderr.isatty(), read_bands(signatures)
    for band in tqdm(bands, desc="near-duplicates", file=sys.stderr, disable=not shown, leave=False):
        candidates = pair_equal(band)
        candidates = candidates[component[candidates[:, 0]] != component[candidates[:, 1]]]
        found.extend(_verify(texts, keep_likely(signatures, candidates, threshold), threshold))
        component = connect(np.concatenate(found), len(texts))
    return np.concatenate(found)


def _verify(texts: list[str], pairs: Pairs, threshold: float) -> Iterator[Pairs]:
    for start in range(0, len(pairs), CHUNK):
        positions, own = np.unique(pairs[start : start + CHUNK], return_inverse=True)
        grams = hash_grams([texts[position] for position in positions]).matrix()
        yield positions[_keep_alike(grams, own.reshape(-1, 2), threshold)]


def connect(pairs: Pairs, count: int) -> NDArray[np.int32]:
    """Return the number of the component `(count,)` that each position is in."""
    graph = csr_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    component: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return component
