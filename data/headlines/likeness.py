"""Texts that are nearly the same: Jaccard similarity of character 5-grams, found without comparing all pairs.

Exact, by prefix filtering (Chaudhuri et al. 2006, https://doi.org/10.1109/ICDE.2006.9): two sets whose
similarity exceeds t share one of their first n - ceil(t * n) + 1 elements, n the size of each, in any common
order. With the rarest grams first, few sets do.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finsent.text import comparable

GRAM = 5
LEAST_WORDS = 4  # shorter cells of a foreign table are ids, labels and names


@dataclass(frozen=True)
class Alike:
    """Positions of two like texts and their similarity, 0..1."""

    left: int
    right: int
    similarity: float


def grams(text: str) -> frozenset[str]:
    """Return the character 5-grams of a text's letters and digits; the text itself where it is shorter."""
    plain = comparable(text)
    return frozenset(plain[i : i + GRAM] for i in range(max(1, len(plain) - GRAM + 1)))


def find_alike(texts: Sequence[str], others: Sequence[str] | None, threshold: float) -> Iterator[Alike]:
    """Yield what is more alike than `threshold` between `texts` and `others`; among `texts` without others.

    `left` is a position in `texts`, `right` one in `others`, or an earlier one in `texts`.
    """
    sets = [grams(text) for text in texts]
    other_sets = sets if others is None else [grams(text) for text in others]
    counts = Counter(gram for one in (sets if others is None else [*sets, *other_sets]) for gram in one)
    index: dict[str, list[int]] = defaultdict(list)
    for position, one in enumerate(other_sets):
        for gram in _rarest(one, counts, threshold):
            index[gram].append(position)
    for left, one in enumerate(sets):
        near = {position for gram in _rarest(one, counts, threshold) for position in index.get(gram, ())}
        for right in sorted(near):
            if others is not None or right < left:
                similarity = len(one & other_sets[right]) / len(one | other_sets[right])
                if similarity > threshold:
                    yield Alike(left, right, similarity)


def read_foreign_texts(mirror: Path) -> list[str]:
    """Return every distinct text under `mirror/datasets`: cells of CSV files, lines of text files in zips.

    What stands behind the last `@` of a line in a zip is its label (the phrasebank's format) and is cut off.
    """
    texts: set[str] = set()
    for path in sorted((mirror / "datasets").rglob("*")):
        if path.suffix == ".csv":
            reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8", errors="replace"), newline=""))
            texts.update(cell for cells in reader for cell in cells)
        elif path.suffix == ".zip":
            texts.update(_read_zip(path))
    return sorted(text for text in texts if len(text.split()) >= LEAST_WORDS)


def _read_zip(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".txt") and not name.startswith("__MACOSX"):
                for line in archive.read(name).decode("latin-1").splitlines():
                    yield line.rpartition("@")[0] or line


def _rarest(one: frozenset[str], counts: Counter[str], threshold: float) -> list[str]:
    """Return the grams of a set of which a like set must have one."""
    length = len(one) - math.ceil(threshold * len(one)) + 1
    return sorted(one, key=lambda gram: (counts[gram], gram))[:length]
