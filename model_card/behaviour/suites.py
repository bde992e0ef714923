"""Run suites over a classifier: how often it behaves as a reader of the news would expect.

The idea and the three kinds of suite follow CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442),
the pairs contrast sets (Gardner et al. 2020, https://aclanthology.org/2020.findings-emnlp.117).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from finsent.scoring import wilson
from model_card.behaviour.cases import Case, Suite


class Predictor(Protocol):
    """What is needed of a classifier; `inference.classifier.Classifier` is one."""

    labels: list[str]

    def predict(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities `(n, n_labels)`, columns in the order of `labels`."""


@dataclass(frozen=True)
class Failure:
    """A case that went wrong: its texts, the labels expected (empty: all the same) and those given."""

    texts: tuple[str, ...]
    expected: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True)
class SuiteResult:
    """How many cases of a suite went well; `low` and `high` bound a 95 % Wilson interval of `rate` (0..1)."""

    name: str
    measures: str
    n: int
    passed: int
    rate: float
    low: float
    high: float
    failures: tuple[Failure, ...]


def wanted_labels(suites: Sequence[Suite]) -> set[str]:
    """Return the labels that a classifier must know for these suites."""
    return {label for suite in suites for case in suite.cases for label in case.expected}


def run_suites(classifier: Predictor, suites: Sequence[Suite]) -> list[SuiteResult]:
    """Return a result a suite, in their order; each distinct text is predicted once.

    Intervals are Wilson's; cases that share a sentence are not independent, so they are rather too narrow for
    the invariances. Raises ValueError when the classifier lacks an expected label, or a suite has no case.
    """
    if missing := sorted(wanted_labels(suites) - set(classifier.labels)):
        raise ValueError(f"the model has labels {classifier.labels}, the suites need {missing[0]!r} as well")
    texts = list(dict.fromkeys(text for suite in suites for case in suite.cases for text in case.texts))
    best = classifier.predict(texts).argmax(axis=1)
    given = {text: classifier.labels[int(number)] for text, number in zip(texts, best, strict=True)}
    return [_judge_suite(suite, given) for suite in suites]


def _judge_suite(suite: Suite, given: dict[str, str]) -> SuiteResult:
    if not suite.cases:
        raise ValueError(f"suite {suite.name}: no case; look at the file that it is read from")
    failures = [failure for case in suite.cases if (failure := _judge_case(case, given))]
    n, passed = len(suite.cases), len(suite.cases) - len(failures)
    low, high = wilson(passed, n)
    return SuiteResult(suite.name, suite.measures, n, passed, passed / n, low, high, tuple(failures))


def _judge_case(case: Case, given: dict[str, str]) -> Failure | None:
    labels = tuple(given[text] for text in case.texts)
    right = labels == case.expected if case.expected else len(set(labels)) == 1
    return None if right else Failure(case.texts, case.expected, labels)
