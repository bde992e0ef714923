"""Which words decided: every word is left out in turn, and all variants are classified in one batch.

Leave-one-out attribution as in Li, Monroe and Jurafsky, "Understanding Neural Networks through
Representation Erasure" (arXiv 1612.08220).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.classifier import Classifier

READ_CHARACTERS = 500  # a release reads no more than about that much, so further words cannot decide
MOST_WORDS = 100
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """A word and what it did: by how much the probability of `label` is lower without it, -1..1.

    None where it was not tried, because the text is longer than what is read.
    """

    text: str
    effect: float | None


@dataclass(frozen=True)
class Explanation:
    """The words of a text in their order, and the label that their effects are about."""

    label: str
    words: list[Word]


def explain(classifier: Classifier, text: str) -> Explanation:
    """Return how much each word speaks for the label that the text gets.

    The effect of a word is p(label | text) - p(label | text without it): above 0 it speaks for the label.
    Words beyond READ_CHARACTERS or MOST_WORDS are not tried.
    """
    spans = [match.span() for match in WORD.finditer(text)]
    tried = [span for span in spans if span[0] < READ_CHARACTERS][:MOST_WORDS]
    variants = [text[:start] + text[end:] for start, end in tried]
    rows = classifier.predict([text, *variants])
    best = int(rows[0].argmax())
    effects = [float(rows[0, best] - row[best]) for row in rows[1:]]
    untried: list[float | None] = [None] * (len(spans) - len(tried))
    return Explanation(
        classifier.labels[best],
        [Word(text[a:b], effect) for (a, b), effect in zip(spans, [*effects, *untried], strict=True)],
    )
