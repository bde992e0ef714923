"""Which texts are nearly the same, by the grams of five characters that they share."""

from __future__ import annotations

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

FREQUENT_GRAM = 200  # documents; more frequent grams only slow the search for candidates down
BLOCK = 512  # rows compared with all others at a time


def find_near_duplicates(texts: list[str], threshold: float) -> list[tuple[int, int]]:
    """Return pairs of positions whose char-5-gram Jaccard similarity reaches the threshold.

    Candidates share a gram that is not frequent; two texts that alike always do, unless both are made of
    nothing but frequent grams. A block of rows at a time meets all others, so that memory stays small.
    """
    if len(texts) < 2:
        return []
    counter = CountVectorizer(analyzer="char_wb", ngram_range=(5, 5), binary=True, dtype=np.int32)
    grams = counter.fit_transform(texts).tocsr()
    sizes = np.asarray(grams.sum(axis=1)).ravel()
    rare = grams[:, np.asarray(grams.sum(axis=0)).ravel() <= FREQUENT_GRAM]
    frequent = sizes - np.asarray(rare.sum(axis=1)).ravel()
    others = rare.T.tocsr()
    found: list[tuple[int, int]] = []
    for start in range(0, len(texts), BLOCK):
        shared_rare = (rare[start : start + BLOCK] @ others).tocoo()
        left, right = shared_rare.row + start, shared_rare.col
        most = shared_rare.data + np.minimum(frequent[left], frequent[right])
        maybe = (left < right) & (most >= threshold * (sizes[left] + sizes[right] - most))
        left, right = left[maybe], right[maybe]
        shared = np.asarray(grams[left].multiply(grams[right]).sum(axis=1)).ravel()
        alike = shared >= threshold * (sizes[left] + sizes[right] - shared)
        found.extend(zip(left[alike].tolist(), right[alike].tolist(), strict=True))
    return found
