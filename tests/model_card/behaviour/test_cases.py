"""The files of cases hold what a rate needs: enough cases, and new texts."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from data.headlines.corpus import FOLDER as HEADLINES
from data.headlines.corpus import LABELS, read_corpus
from data.headlines.likeness import find_alike
from finsent.text import comparable
from model_card.behaviour.cases import FUNCTIONS, INVARIANCE, PARAPHRASES, read_suites
from tests.model_card.behaviour import held_out_headlines

SUITES = read_suites(held_out_headlines())


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_invariance_sentences_name_what_is_replaced() -> None:
    rows = read(INVARIANCE)
    assert len(rows) >= 50
    assert set(Counter(row["label"] for row in rows)) == set(LABELS)
    for row in rows:
        assert row["company"] in row["text"] and row["amount"] in row["text"] and row["ticker"] in row["text"]
        assert bool(row["amount"]) == bool(row["other_amounts"]), row
    for suite in SUITES[:7]:
        assert all(len(case.texts) == 2 and case.texts[0] != case.texts[1] for case in suite.cases)


def test_functions_are_at_least_eight_with_fifteen_sentences_each() -> None:
    rows = read(FUNCTIONS)
    counts = Counter(row["function"] for row in rows)
    assert len(counts) >= 8 and min(counts.values()) >= 15
    assert len({comparable(row["text"]) for row in rows}) == len(rows)
    for name in set(counts) - {"routine"}:
        assert {row["label"] for row in rows if row["function"] == name} == set(LABELS), name


def test_contrast_pairs_are_those_held_out() -> None:
    suite = next(suite for suite in SUITES if suite.name == "direction/contrast")
    test = {row.text: row.label for row in read_corpus(HEADLINES)[0] if row.split == "test"}
    for case in suite.cases:
        assert case.expected == tuple(test[text] for text in case.texts)
        assert len(set(case.expected)) == 2


def test_paraphrases_are_triples_with_one_label() -> None:
    rows = read(PARAPHRASES)
    triples = [rows[start : start + 3] for start in range(0, len(rows), 3)]
    assert len(triples) >= 150 and len(rows) == 3 * len(triples)
    for triple in triples:
        assert len({row["triple"] for row in triple}) == 1 and len({row["label"] for row in triple}) == 1
    assert len({triple[0]["triple"] for triple in triples}) == len(triples)
    shares = Counter(triple[0]["label"] for triple in triples)
    assert set(shares) == set(LABELS) and min(shares.values()) > len(triples) / 5


def test_paraphrases_are_distinct_and_no_near_copies() -> None:
    texts = [row["text"] for row in read(PARAPHRASES)]
    assert len({comparable(text) for text in texts}) == len(texts)
    assert [(texts[one.left], texts[one.right]) for one in find_alike(texts, None, 0.6)] == []


@pytest.mark.parametrize("path", [PARAPHRASES, FUNCTIONS, INVARIANCE], ids=lambda path: path.stem)
def test_no_text_stands_in_the_headlines(path: Path) -> None:
    texts, headlines = [row["text"] for row in read(path)], [row.text for row in read_corpus(HEADLINES)[0]]
    alike = find_alike(texts, headlines, 0.6)
    assert [(texts[one.left], headlines[one.right], round(one.similarity, 2)) for one in alike] == []
