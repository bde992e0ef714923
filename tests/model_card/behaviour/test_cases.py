"""The files of cases hold what a rate needs: enough cases, and new texts."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from data.headlines.corpus import FOLDER as HEADLINES
from data.headlines.corpus import LABELS, read_corpus
from data.headlines.likeness import find_alike
from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.recipe.evaluation import Evaluation
from finsent.recipe.recipe import Recipe
from finsent.text import comparable
from model_card.behaviour.cases import GENERAL_ROWS, read_suites
from model_card.behaviour.changes import CHANGES
from tests.model_card.behaviour import RECIPE, held_out_headlines

SUITES = read_suites(RECIPE, held_out_headlines())
FOLDER = REPOSITORY / RECIPE.evaluation.suites[0]
FUNCTIONS, INVARIANCE, PARAPHRASES = (
    FOLDER / f"{name}.csv" for name in ("functions", "invariance", "paraphrases")
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_invariance_sentences_name_what_is_replaced() -> None:
    rows = read(INVARIANCE)
    assert len(rows) >= 50
    assert set(Counter(row["label"] for row in rows)) == set(LABELS)
    for row in rows:
        for change in (row[name] for name in row if name not in ("text", "label")):
            old, sign, new = change.partition("=")
            assert old in row["text"] and bool(sign) == bool(change) == bool(new), row
    for suite in (suite for suite in SUITES if suite.name.startswith("invariance/")):
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


def test_without_a_folder_only_the_general_suites_are_run() -> None:
    rows = held_out_headlines()
    recipe = RECIPE.model_copy(update={"evaluation": Evaluation()})
    suites = read_suites(recipe, rows)
    assert [suite.name for suite in suites] == [f"invariance/{name}" for name in CHANGES]
    texts = {case.texts[0] for suite in suites for case in suite.cases}
    assert len(texts) == GENERAL_ROWS and texts <= {row.text for row in rows}
    assert read_suites(recipe, []) == []


def with_suites(folder: Path, labels: list[str]) -> Recipe:
    evaluation = Evaluation(suites=[str(folder)])
    return RECIPE.model_copy(update={"labels": labels, "evaluation": evaluation})


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "functions.csv").write_text(
        "function,text,label\nthanks,다시 살게요,좋음\n", encoding="utf-8"
    )
    (tmp_path / "invariance.csv").write_text("text,colour\nA red box,red=blue|green\nA box,\n")
    found = read_suites(with_suites(tmp_path, ["좋음", "나쁨"]), [])
    assert [suite.name for suite in found] == ["invariance/colour", "function/thanks"]
    assert [case.texts for case in found[0].cases] == [
        ("A red box", "A blue box"),
        ("A red box", "A green box"),
    ]
    assert found[1].cases[0].expected == ("좋음",)


def test_a_folder_that_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"has none of invariance\.csv, kinds\.csv"):
        read_suites(with_suites(tmp_path / "none", ["a", "b"]), [])
    (tmp_path / "functions.csv").write_text("function,text,label\nthanks,good,fine\n")
    with pytest.raises(RecipeError, match=r"unknown label 'fine', allowed: \['a', 'b'\]"):
        read_suites(with_suites(tmp_path, ["a", "b"]), [])
