from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from finsent.data.minhash import HASHES, Pairs, keep_likely, pair_equal, read_bands, sign

DRAW = random.Random(2)
WORDS = ["".join(DRAW.choices("abcdefgh", k=6)) for _ in range(400)]


def similar_texts(count: int, words: int, changed: int) -> list[str]:
    """Texts in pairs; the second of each has so many other words than the first."""
    draw = random.Random(count + changed)
    found = []
    for _ in range(count):
        first = draw.choices(WORDS, k=words)
        second = [*first[changed:], *draw.choices(WORDS, k=changed)]
        found += [" ".join(first), " ".join(second)]
    return found


def neighbours(count: int) -> Pairs:
    return np.arange(2 * count, dtype=np.int64).reshape(-1, 2)


def test_signatures_are_the_same_however_many_texts_are_signed_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [*similar_texts(40, 12, 1), "", "ab", "한국어 문장"]
    whole = sign(texts)
    monkeypatch.setattr("finsent.data.minhash.CHUNK", 7)
    assert whole.shape == (len(texts), HASHES) and (sign(texts) == whole).all()
    assert read_bands(whole).shape == (16, len(texts))
    assert (keep_likely(whole, neighbours(40), 0.7) == neighbours(40)).all()


def test_equal_bands_are_paired_with_the_first_and_with_the_next_few() -> None:
    band = np.array([7, 3, 7, 2**32 - 1, 7, 3, 7, 7, 7, 0, 7], np.uint32)
    same = [place for place, key in enumerate(band) if key == 7]
    wanted = {(left, right) for at, left in enumerate(same) for right in same[at + 1 : at + 5]}
    wanted |= {(same[0], place) for place in same[1:]} | {(1, 5)}
    assert [tuple(pair) for pair in pair_equal(band).tolist()] == sorted(wanted)


@pytest.mark.parametrize("band", [[], [1], [1, 2, 3]])
def test_bands_that_differ_pair_nothing(band: list[int]) -> None:
    assert pair_equal(np.array(band, np.uint32)).shape == (0, 2)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9, 1.0])
def test_no_pair_that_is_alike_is_called_unlikely(threshold: float) -> None:
    kept = 0
    for changed in range(8):
        texts = similar_texts(100, 12, changed)
        likely = {tuple(pair) for pair in keep_likely(sign(texts), neighbours(100), threshold).tolist()}
        pairs = [(left, left + 1) for left in range(0, 200, 2)]
        alike = {pair for pair in pairs if jaccard(texts, *pair) >= threshold}
        assert alike <= likely
        kept += len(alike)
    assert 100 <= kept < 700


def test_pairs_with_little_in_common_are_not_compared() -> None:
    texts = similar_texts(150, 12, 11)
    assert len(keep_likely(sign(texts), neighbours(150), 0.7)) == 0
    assert len(keep_likely(sign(texts), neighbours(150), 0.1)) > 100
    assert keep_likely(sign(texts), np.empty((0, 2), np.int64), 0.7).shape == (0, 2)


def jaccard(texts: list[str], left: int, right: int) -> float:
    first, second = (grams(texts[place]) for place in (left, right))
    return len(first & second) / len(first | second)


def grams(text: str) -> set[str]:
    spaced = itertools.chain.from_iterable(
        (f" {word} "[start : start + 5] for start in range(len(word) - 2)) for word in text.split()
    )
    return set(spaced)
