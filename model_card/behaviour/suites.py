"""Run suites over a classifier: how often it behaves as a careful reader would expect.

The idea and the three kinds of suite follow CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442),
the pairs contrast sets (Gardner et al. 2020, https://aclanthology.org/2020.findings-emnlp.117).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from finsent.scoring import wilson
from model_card.behaviour.cases import Case, Suite, read_suites
from model_card.behaviour.rates import SuiteRate


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


Answers = dict[str, str]  # text -> label


def measure_behaviour(recipe: Recipe, classifier: Predictor, held_out: Sequence[Row]) -> list[SuiteRate]:
    """Return a rate a suite. RecipeError if a suite that the recipe names cannot be read or asked."""
    suites = read_suites(recipe, held_out)
    answers = ask_suites(classifier, suites)
    return [rate_suite(suite, answers) for suite in suites]


def ask_suites(classifier: Predictor, suites: Sequence[Suite]) -> Answers:
    """Return the label of every text in the suites; each distinct text is predicted once.

    Raises ValueError if the classifier lacks an expected label.
    """
    wanted = {label for suite in suites for label in suite.labels}
    if missing := sorted(wanted - set(classifier.labels)):
        raise ValueError(f"the model has labels {classifier.labels}, the suites also need {missing[0]!r}")
    texts = list(dict.fromkeys(text for suite in suites for case in suite.cases for text in case.texts))
    if not texts:
        return {}
    best = classifier.predict(texts).argmax(axis=1)
    return {text: classifier.labels[int(number)] for text, number in zip(texts, best, strict=True)}


def rate_suite(suite: Suite, answers: Answers) -> SuiteRate:
    """Return how often a suite goes well. ValueError if it has no case.

    Cases that share a sentence are not independent, so intervals are rather too narrow for the invariances.
    """
    if not suite.cases:
        raise ValueError(f"suite {suite.name}: has no cases; check its file")
    n = len(suite.cases)
    passed = n - len(find_failures(suite, answers))
    return SuiteRate(suite.name, suite.measures, n, passed, passed / n, *wilson(passed, n))


def find_failures(suite: Suite, answers: Answers) -> list[Failure]:
    """Return the cases of a suite that go wrong, in their order."""
    return [failure for case in suite.cases if (failure := _judge_case(case, answers))]


def _judge_case(case: Case, answers: Answers) -> Failure | None:
    labels = tuple(answers[text] for text in case.texts)
    right = labels == case.expected if case.expected else len(set(labels)) == 1
    return None if right else Failure(case.texts, case.expected, labels)
