from __future__ import annotations

import itertools

import pytest
from sklearn.feature_extraction.text import CountVectorizer

from finsent.data.near_duplicates import find_near_duplicates
from finsent.text import comparable
from tests.finsent.data.test_splits import many


def test_near_duplicates_are_the_pairs_that_comparing_all_with_all_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [one.text for one in many(60)]
    texts = [comparable(text) for text in rows + [f"{text} again" for text in rows[::2]] + ["ab", "ab c"]]
    grams = [set(CountVectorizer(analyzer="char_wb", ngram_range=(5, 5)).build_analyzer()(t)) for t in texts]
    alike = {
        (left, right)
        for left, right in itertools.combinations(range(len(texts)), 2)
        if len(grams[left] & grams[right]) >= 0.7 * len(grams[left] | grams[right])
    }
    monkeypatch.setattr("finsent.data.near_duplicates.BLOCK", 7)
    monkeypatch.setattr("finsent.data.near_duplicates.FREQUENT_GRAM", 8)
    assert set(find_near_duplicates(texts, 0.7)) == alike
    assert len(alike) >= 30
