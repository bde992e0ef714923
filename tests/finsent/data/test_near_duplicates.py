from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from finsent.data.near_duplicates import choose_method, connect, find_near_duplicates
from finsent.text import comparable
from tests.finsent.data.test_splits import make_data, many, row, split


def copies() -> list[str]:
    rows = [one.text for one in many(60)]
    return [comparable(text) for text in rows + [f"{text} again" for text in rows[::2]] + ["ab", "ab c", ""]]


def compare_all(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    analyze = CountVectorizer(analyzer="char_wb", ngram_range=(5, 5)).build_analyzer()
    grams = [set(analyze(text)) for text in texts]
    return {
        (left, right)
        for left, right in itertools.combinations(range(len(texts)), 2)
        if grams[left] & grams[right]
        and len(grams[left] & grams[right]) >= threshold * len(grams[left] | grams[right])
    }


def test_near_duplicates_are_the_pairs_that_comparing_all_with_all_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = copies()
    monkeypatch.setattr("finsent.data.near_duplicates.BLOCK", 7)
    monkeypatch.setattr("finsent.data.near_duplicates.FREQUENT_GRAM", 8)
    alike = compare_all(texts, 0.7)
    assert set(map(tuple, find_near_duplicates(texts, 0.7).tolist())) == alike
    assert len(alike) >= 30


def test_minhash_connects_what_is_alike_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = copies()
    alike = compare_all(texts, 0.7)
    monkeypatch.setattr("finsent.data.near_duplicates.EXACT_ROWS", 10)
    monkeypatch.setattr("finsent.data.near_duplicates.CHUNK", 16)
    assert choose_method(len(texts)) == "minhash"
    pairs = find_near_duplicates(texts, 0.7)
    assert {(left, right) for left, right in pairs.tolist()} <= alike
    exact = connect(np.array(sorted(alike)), len(texts))
    assert connect(pairs, len(texts)).tolist() == exact.tolist()


def test_minhash_keeps_a_thousand_texts_of_one_pattern_together_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(0)
    texts = [f"your parcel {draw.randrange(100)} waits at the shop around the corner" for _ in range(1000)]
    monkeypatch.setattr("finsent.data.near_duplicates.EXACT_ROWS", 10)
    pairs = find_near_duplicates(texts, 0.7)
    assert len(set(connect(pairs, len(texts)).tolist())) == 1
    assert len(pairs) < 20 * len(texts)  # and not all pairs of them


@pytest.mark.parametrize("texts", [[], ["a"], ["", ""], ["", "", ""]])
def test_texts_without_a_gram_are_near_to_nothing(texts: list[str]) -> None:
    assert len(find_near_duplicates(texts, 0.7)) == 0


def test_the_report_says_which_way_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert split(many(20)).report.near_duplicate_method == "exact"
    monkeypatch.setattr("finsent.data.near_duplicates.EXACT_ROWS", 10)
    assert split(many(20)).report.near_duplicate_method == "minhash"


def test_copies_with_different_labels_stay_on_one_side() -> None:
    def identify(texts: object) -> list[str]:
        return list(texts)  # type: ignore[call-overload, no-any-return]

    from finsent.data.rows import SourceRows
    from finsent.data.splits import SPLITS, split_rows

    words = [f"w{number}x" for number in range(60)]
    rows = [row(f"{word} :)", "positive") for word in words] + [
        row(f"{word} :(", "negative") for word in words
    ]
    sources = {"rows": SourceRows(rows, {}), "fixed": SourceRows([], {})}
    splits = split_rows(sources, make_data(near_duplicates=1.0), 1, identify)
    side = {one.text: name for name in SPLITS for one in splits[name]}
    assert len(side) == 120
    assert all(side[f"{word} :)"] == side[f"{word} :("] for word in words)
    assert len(set(side.values())) == 3
