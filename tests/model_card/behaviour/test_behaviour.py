"""The suites judge as they say, and their files hold what a rate needs: enough cases, and new texts."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from data.headlines.corpus import FOLDER as HEADLINES
from data.headlines.corpus import LABELS, read_corpus
from data.headlines.likeness import find_alike
from finsent.scoring import wilson
from finsent.text import comparable
from model_card.behaviour import changes
from model_card.behaviour.cases import FUNCTIONS, INVARIANCE, PARAPHRASES, Case, Suite, read_suites
from model_card.behaviour.changes import Sentence
from model_card.behaviour.rates import SuiteRate
from model_card.behaviour.suites import Failure, ask_suites, find_failures, rate_suite
from tests.model_card.behaviour import held_out_headlines
from tests.tiny import ROOT, read_json

SUITES = read_suites(held_out_headlines())
GOOD = "up|rises?|rose|gains?|raise[sd]?|lifts?|wins?|beats?|record|growth|jumps?|surges?|upgraded|approv\\w+"
BAD = "down|falls?|fell|loses?|cuts?|lowers?|weak|miss(?:es)?|plunges?|layoffs|downgraded|fined|recalls?"


class Words:
    """A classifier of simple rules: good words against bad ones. It sees no company and no figure."""

    def __init__(self, judge: Callable[[str], int] | None = None) -> None:
        self.labels = list(LABELS)
        self.judge = judge or self.count
        self.seen: list[str] = []

    def count(self, text: str) -> int:
        """Return a class: 0 more bad words, 1 as many, 2 more good ones."""
        good, bad = (len(re.findall(rf"\b(?:{words})\b", text.lower())) for words in (GOOD, BAD))
        return 1 + (good > bad) - (bad > good)

    def predict(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        return np.eye(3, dtype=np.float32)[[self.judge(text) for text in texts]]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def results() -> dict[str, SuiteRate]:
    return rates_of(Words())


def rates_of(model: Words) -> dict[str, SuiteRate]:
    answers = ask_suites(model, SUITES)
    return {suite.name: rate_suite(suite, answers) for suite in SUITES}


def test_every_suite_has_its_cases(results: dict[str, SuiteRate]) -> None:
    kinds = Counter(name.split("/")[0] for name in results)
    assert kinds["invariance"] == 7 and kinds["direction"] == 1 and kinds["hard"] == 4
    assert kinds["function"] >= 8 and kinds["paraphrase"] == 2
    assert {name: one.n for name, one in results.items() if one.n < 10} == {}
    assert results["direction/contrast"].n >= 40


def test_rules_that_see_no_company_and_no_figure_are_invariant(results: dict[str, SuiteRate]) -> None:
    for name in ("company", "ticker", "currency", "amount", "case", "link", "punctuation"):
        assert results[f"invariance/{name}"].rate == 1, name


def test_rules_do_better_than_chance_but_not_everything(results: dict[str, SuiteRate]) -> None:
    functions = [one for name, one in results.items() if name.startswith("function/")]
    assert 0.4 < sum(one.passed for one in functions) / sum(one.n for one in functions) < 0.95
    assert 0 < results["direction/contrast"].rate < 0.5
    assert results["paraphrase/right"].passed < results["paraphrase/same"].passed


def test_a_model_that_looks_at_the_company_is_caught() -> None:
    model = Words(lambda text: 2 if "Tanvirek" in text else 0)
    results = rates_of(model)
    company = results["invariance/company"]
    assert 0 < company.n - company.passed == company.n / len(changes.COMPANIES)
    failures = find_failures(SUITES[0], ask_suites(model, SUITES[:1]))
    assert len(failures) == company.n - company.passed
    assert all("Tanvirek" in failure.texts[1] for failure in failures)
    assert results["invariance/ticker"].rate == 1


def test_rates_and_failures_by_hand() -> None:
    suites = [
        Suite("a/pairs", "pairs", (Case(("x up", "x down"), ("positive", "negative")),)),
        Suite(
            "b/mixed",
            "cases",
            (
                Case(("up", "rises")),
                Case(("up", "down")),
                Case(("flat",), ("neutral",)),
                Case(("x up", "flat"), ("positive", "negative")),
            ),
        ),
    ]
    model = Words()
    answers = ask_suites(model, suites)
    pairs, mixed = (rate_suite(suite, answers) for suite in suites)
    assert (pairs.n, pairs.passed, pairs.rate) == (1, 1, 1.0)
    assert find_failures(suites[0], answers) == []
    assert (mixed.n, mixed.passed, mixed.rate) == (4, 2, 0.5)
    assert (mixed.low, mixed.high) == wilson(2, 4)
    assert find_failures(suites[1], answers) == [
        Failure(("up", "down"), (), ("positive", "negative")),
        Failure(("x up", "flat"), ("positive", "negative"), ("positive", "neutral")),
    ]
    assert model.seen == ["x up", "x down", "up", "rises", "down", "flat"]  # each text once


def test_labels_are_read_by_name_and_not_by_place() -> None:
    model = Words()
    model.labels = ["positive", "neutral", "negative"]
    suite = Suite("a", "cases", (Case(("up",), ("negative",)),))
    assert rate_suite(suite, ask_suites(model, [suite])).rate == 1


def test_a_model_without_a_label_is_refused() -> None:
    model = Words()
    model.labels = ["negative", "positive"]
    with pytest.raises(ValueError, match="need 'neutral' as well"):
        ask_suites(model, SUITES)


def test_a_suite_without_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="suite a: no case"):
        rate_suite(Suite("a", "cases", ()), {})


def test_wilson_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == pytest.approx(1)


EXAMPLE = Sentence("Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1", "Vik", "ABC", "5", ("70", "6"))


@pytest.mark.parametrize(
    ("change", "first", "count"),
    [
        (changes.change_company, "Norrvassen to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1", 6),
        (changes.change_ticker, "Vik to pay $5m, or EUR 4 mn, for $QZWM https://t.co/x1", 5),
        (changes.change_currency, "Vik to pay $5m, or CHF 4 mn, for $ABC https://t.co/x1", 6),
        (changes.change_amount, "Vik to pay $70m, or EUR 4 mn, for $ABC https://t.co/x1", 2),
        (changes.change_case, "VIK TO PAY $5M, OR EUR 4 MN, FOR $ABC https://t.co/x1", 3),
        (changes.change_link, "Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/Zr5nB2vKdE", 2),
        (changes.change_punctuation, "“Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1”", 3),
    ],
)
def test_changes(change: Callable[[Sentence], Iterator[str]], first: str, count: int) -> None:
    changed = list(change(EXAMPLE))
    assert changed[0] == first
    assert len(set(changed)) == count == len(changed)
    assert EXAMPLE.text not in changed


def test_what_is_not_in_a_sentence_is_not_changed() -> None:
    bare = Sentence("Markets are closed on Monday")
    for name in ("company", "ticker", "currency", "amount"):
        assert list(changes.CHANGES[name](bare)) == [], name


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


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.model_card.behaviour", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_prints_rates_of_a_release(tiny_release: Path, tmp_path: Path) -> None:
    done = run_module(str(tiny_release), "--json", str(tmp_path / "out.json"), "--failures")
    assert done.returncode == 0, done.stderr
    results = read_json(tmp_path / "out.json")
    assert [one["name"] for one in results] == [suite.name for suite in SUITES]
    contrast = next(one for one in results if one["name"] == "direction/contrast")
    row = f"| direction/contrast | {contrast['rate']:.1%} | {contrast['low']:.1%} to {contrast['high']:.1%} |"
    assert row in done.stdout
    assert len(contrast["failures"]) == contrast["n"] - contrast["passed"] > 0
    assert contrast["failures"][0]["texts"][0] in done.stdout.partition("| paraphrase/right")[2]
    assert json.dumps(results)


def test_the_command_names_a_release_that_is_none(tmp_path: Path) -> None:
    done = run_module(str(tmp_path))
    assert done.returncode == 1 and done.stdout == ""
    assert "config.json" in done.stderr and "is it a finsent release?" in done.stderr
