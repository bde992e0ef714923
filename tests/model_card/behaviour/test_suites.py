"""The suites judge as they say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from data.headlines.corpus import LABELS
from finsent.scoring import wilson
from model_card.behaviour.cases import Case, Suite, read_suites
from model_card.behaviour.rates import SuiteRate
from model_card.behaviour.suites import Failure, ask_suites, find_failures, rate_suite
from tests.model_card.behaviour import RECIPE, held_out_headlines

SUITES = read_suites(RECIPE, held_out_headlines())


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


@pytest.fixture(scope="module")
def results() -> dict[str, SuiteRate]:
    return rates_of(Words())


def rates_of(model: Words) -> dict[str, SuiteRate]:
    answers = ask_suites(model, SUITES)
    return {suite.name: rate_suite(suite, answers) for suite in SUITES}


def test_every_suite_has_its_cases(results: dict[str, SuiteRate]) -> None:
    kinds = Counter(name.split("/")[0] for name in results)
    assert kinds["invariance"] == 9 and kinds["direction"] == 1 and kinds["hard"] == 4
    assert kinds["function"] >= 8 and kinds["paraphrase"] == 2
    assert {name: one.n for name, one in results.items() if one.n < 10} == {}
    assert results["direction/contrast"].n >= 40


def test_rules_that_see_no_company_and_no_figure_are_invariant(results: dict[str, SuiteRate]) -> None:
    for name in ("company", "ticker", "currency", "amount", "case", "link", "punctuation", "length"):
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
    assert 0 < company.n - company.passed == company.n / 6  # other companies a sentence
    suite = next(suite for suite in SUITES if suite.name == "invariance/company")
    failures = find_failures(suite, ask_suites(model, [suite]))
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
    with pytest.raises(ValueError, match="the suites also need 'neutral'"):
        ask_suites(model, SUITES)


def test_a_suite_without_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="suite a: has no cases"):
        rate_suite(Suite("a", "cases", ()), {})
