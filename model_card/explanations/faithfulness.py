"""Whether the words that a method ranks first are those that decide: comprehensiveness and sufficiency.

After DeYoung et al. 2020, ERASER, https://arxiv.org/abs/1911.03429: the first words of a ranking are left
out, or nothing but them is kept. Random rankings are the bar that a method has to clear.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from finsent.scoring import Interval
from inference.classifier import Classifier
from inference.explain import Span, find_words, leave_out
from model_card.explanations.figures import RANDOM, Faithfulness

SHARES = (0.1, 0.2, 0.5)  # of the words of a text, rounded up
RANDOM_ORDERS = 5  # whose mean is less a matter of luck
Falls = NDArray[np.float64]


def measure_faithfulness(
    classifier: Classifier,
    texts: Sequence[str],
    effects: Mapping[str, Sequence[Sequence[float]]],
    resamples: int,
    seed: int,
) -> list[Faithfulness]:
    """Return the figures of each method, best comprehensiveness first, then those of random order.

    `effects[method][row]` has a number for each word of `texts[row]`; a method may stop before the last row.
    """
    draw = random.Random(seed)
    falls: dict[str, list[Falls]] = {name: [] for name in [*effects, RANDOM]}
    for row, text in enumerate(texts):
        _, words = find_words(text)
        named = {name: rank(found[row], len(words)) for name, found in effects.items() if row < len(found)}
        drawn = [draw.sample(range(len(words)), len(words)) for _ in range(RANDOM_ORDERS)]
        found = measure_falls(classifier, text, [*named.values(), *drawn])
        for name, fall in zip(named, found, strict=False):  # those of random order come behind
            falls[name].append(fall)
        falls[RANDOM].append(found[len(named) :].mean(axis=0))
    bar = np.array(falls.pop(RANDOM))
    told = [_summarize(name, np.array(found), bar, resamples, seed) for name, found in falls.items()]
    told.sort(key=lambda one: -one.comprehensiveness)
    return [*told, _summarize(RANDOM, bar, None, resamples, seed)]


def rank(effects: Sequence[float], words: int) -> list[int]:
    """Return the numbers of the first `words` words, the one that speaks most for the label first."""
    return sorted(range(words), key=lambda word: -effects[word])


def measure_falls(classifier: Classifier, text: str, orders: Sequence[Sequence[int]]) -> Falls:
    """Return by how much the label's probability falls, `(n_orders, 2)`, means over SHARES.

    First without the first words of an order, then with nothing but them.
    """
    _, words = find_words(text)
    counts = [math.ceil(share * len(words)) for share in SHARES]
    variants = [text]
    for order in orders:
        variants += [_drop(text, words, order[:count]) for count in counts]
        variants += [_drop(text, words, order[count:]) for count in counts]
    rows = classifier.predict(variants)
    label = int(rows[0].argmax())
    falls = rows[0, label] - rows[1:, label].astype(np.float64)
    means: Falls = falls.reshape(len(orders), 2, len(counts)).mean(axis=2)
    return means


def _drop(text: str, words: Sequence[Span], gone: Sequence[int]) -> str:
    return leave_out(text, (words[index] for index in sorted(gone)))


def _summarize(name: str, falls: Falls, bar: Falls | None, resamples: int, seed: int) -> Faithfulness:
    """Sum up falls `(n, 2)` of a method; `bar` `(m, 2)` are those of random order, m at least n."""
    drawn = np.random.default_rng(seed).integers(len(falls), size=(resamples, len(falls)))
    means = falls.mean(axis=0)
    without, alone = (_bound(falls[drawn, column]) for column in (0, 1))
    ahead = None if bar is None else (falls - bar[: len(falls)])[drawn]
    return Faithfulness(
        method=name,
        texts=len(falls),
        comprehensiveness=float(means[0]),
        comprehensiveness_interval=without,
        sufficiency=float(means[1]),
        sufficiency_interval=alone,
        comprehensiveness_gain=None if ahead is None else _bound(ahead[..., 0]),
        sufficiency_gain=None if ahead is None else _bound(-ahead[..., 1]),
    )


def _bound(drawn: Falls) -> Interval:
    """Return the 95 % percentile interval of the means of resamples `(resamples, n)`."""
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return Interval(float(low), float(high))
