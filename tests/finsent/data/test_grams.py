from __future__ import annotations

import pytest
from sklearn.feature_extraction.text import CountVectorizer

from finsent.data.grams import hash_grams

TEXTS = ["", "a", "ab", "abc", "abcd", "profit rose by a tenth", "한국 어 कि 🙂x", "", "to to to", "a b"]


@pytest.mark.parametrize("position", range(len(TEXTS)))
def test_grams_are_those_of_scikit_learn(position: int) -> None:
    analyze = CountVectorizer(analyzer="char_wb", ngram_range=(5, 5)).build_analyzer()
    grams = hash_grams(TEXTS)
    start, end = (int(place) for place in grams.starts[position : position + 2])
    named = dict(zip(analyze(TEXTS[position]), grams.hashes[start:end].tolist(), strict=True))
    assert len(set(named.values())) == len(named)


def test_a_gram_has_one_hash_wherever_it_stands() -> None:
    matrix = hash_grams(["profit rose", "rose", "fell", "rose profit"]).matrix()
    assert (matrix @ matrix.T).toarray().tolist() == [[6, 2, 0, 6], [2, 2, 0, 2], [0, 0, 2, 0], [6, 2, 0, 6]]
