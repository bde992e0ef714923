"""Which words decided: by leaving out one at a time, or by Shapley values.

Leave-one-out as in Li, Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure"
(arXiv 1612.08220). It misses words that say the same twice: without one of them, the other still decides.
Shapley values count such words, too: words are added in random orders, and the effect of a word is the mean
of what it changes (Castro, Gomez and Tejada 2009, https://doi.org/10.1016/j.cor.2008.04.004).

The page in space/static/ does the same, with the same orders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from inference.classifier import Classifier

READ_CHARACTERS = 500  # a release reads no more than about that much, so further words cannot decide
LONGEST_TEXT = 10_000  # characters of a variant; no release reads that far
MOST_WORDS = 100
MOST_ORDERS = 32
MOST_VARIANTS = 512  # texts that Shapley values take; with many words there are fewer orders
SEED = 20260101
WORD = re.compile(r"\S+")

Method = Literal["leave-one-out", "shapley"]
Span = tuple[int, int]


@dataclass(frozen=True)
class Word:
    """A word and what it did: by how much it raises the probability of `label`, -1..1.

    None where it was not tried, because the text is longer than what is read.
    """

    text: str
    effect: float | None


@dataclass(frozen=True)
class Explanation:
    """The words of a text in their order, and the label that their effects are about.

    `orders` is in how many orders the words were added; None where each was left out in turn.
    """

    label: str
    words: list[Word]
    orders: int | None = None


@dataclass(frozen=True)
class _Weighed:
    """The number of the label, an effect a word, and the number of orders."""

    label: int
    effects: list[float]
    orders: int | None


def explain(classifier: Classifier, text: str, method: Method = "leave-one-out") -> Explanation:
    """Return how much each word speaks for the label that the text gets: above 0 for it, below 0 against it.

    By "leave-one-out" the effect of a word is p(label | text) - p(label | text without it). By "shapley" it
    is the mean change when the word is added to others; the effects add up to p(label | text) -
    p(label | no words). The same text has the same orders every time. Words beyond READ_CHARACTERS or
    MOST_WORDS are not tried.
    """
    spans, tried = find_words(text)
    found = METHODS[method](classifier, text[:LONGEST_TEXT], tried)
    untried: list[float | None] = [None] * (len(spans) - len(tried))
    effects = zip(spans, [*found.effects, *untried], strict=True)
    return Explanation(
        classifier.labels[found.label], [Word(text[a:b], effect) for (a, b), effect in effects], found.orders
    )


def find_words(text: str) -> tuple[list[Span], list[Span]]:
    """Return where the words of a text start and end, and the first of them, which are tried."""
    spans = [match.span() for match in WORD.finditer(text)]
    return spans, [span for span in spans if span[0] < READ_CHARACTERS][:MOST_WORDS]


def leave_out(text: str, spans: Iterable[Span]) -> str:
    """Return a text without these words, which are in their order; the blanks around them stay."""
    pieces, done = [], 0
    for start, end in spans:
        pieces.append(text[done:start])
        done = end
    return "".join([*pieces, text[done:]])


def draw_orders(words: int) -> list[list[int]]:
    """Return random orders of so many words, each followed by its reverse, which makes the mean steadier.

    They are drawn by a linear congruential generator, because JavaScript has to draw the same.
    """
    count = min(MOST_ORDERS, MOST_VARIANTS // max(words, 1))
    state, orders = SEED, list[list[int]]()
    for _ in range(max(1, count // 2)):
        order = list(range(words))
        for last in range(words - 1, 0, -1):
            state = (1664525 * state + 1013904223) % 2**32
            other = state * (last + 1) >> 32
            order[last], order[other] = order[other], order[last]
        orders += [order, order[::-1]]
    return orders


def _leave_each_out(classifier: Classifier, text: str, spans: Sequence[Span]) -> _Weighed:
    rows = classifier.predict([text, *(leave_out(text, [span]) for span in spans)])
    best = int(rows[0].argmax())
    return _Weighed(best, [float(rows[0, best] - row[best]) for row in rows[1:]], None)


def _share_out(classifier: Classifier, text: str, spans: Sequence[Span]) -> _Weighed:
    orders = draw_orders(len(spans))
    kept = list(dict.fromkeys(frozenset(order[:size]) for order in orders for size in range(len(order) + 1)))
    gone = ([span for index, span in enumerate(spans) if index not in one] for one in kept)
    rows = classifier.predict([leave_out(text, one) for one in gone])
    best = int(rows[kept.index(frozenset(range(len(spans))))].argmax())
    value = dict(zip(kept, rows[:, best].tolist(), strict=True))
    effects = [0.0] * len(spans)
    for order in orders:
        for size, word in enumerate(order):
            change = value[frozenset(order[: size + 1])] - value[frozenset(order[:size])]
            effects[word] += change / len(orders)
    return _Weighed(best, effects, len(orders))


METHODS: dict[Method, Callable[[Classifier, str, Sequence[Span]], _Weighed]] = {
    "leave-one-out": _leave_each_out,
    "shapley": _share_out,
}
