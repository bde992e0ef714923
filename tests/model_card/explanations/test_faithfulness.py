from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from model_card.explanations.faithfulness import measure_faithfulness, measure_falls, rank
from model_card.explanations.figures import RANDOM

TEXTS = [f"w{row} good x y z good a b c d"[:40] for row in range(20)]


class Counting:
    """A classifier whose probability of `up` is that of a text with so many words `good`."""

    labels = ("down", "up")

    def predict(self, texts: Sequence[str]) -> Any:
        up = np.array([0.55 + 0.2 * text.split().count("good") for text in texts])
        return np.stack([1 - up, up], axis=1)


COUNTING: Any = Counting()
GOOD = [[1.0 if word == "good" else 0.0 for word in text.split()] for text in TEXTS]
BAD = [[-value for value in row] for row in GOOD]


def test_falls_are_means_over_the_shares_of_words() -> None:
    best, worst = rank(GOOD[0], 10), rank(BAD[0], 10)
    assert best[:2] == [1, 5] and worst[-2:] == [1, 5]
    falls = measure_falls(COUNTING, TEXTS[0], [best, worst])
    # without the first word, the first two, the first five; and with nothing but these
    assert falls[0] == pytest.approx([(0.2 + 0.4 + 0.4) / 3, (0.2 + 0 + 0) / 3])
    assert falls[1] == pytest.approx([0, 0.4])


def test_a_method_that_knows_beats_random_order_and_one_that_errs_does_not() -> None:
    found = measure_faithfulness(COUNTING, TEXTS, {"wrong": BAD, "right": GOOD}, 200, seed=1)
    assert [one.method for one in found] == ["right", "wrong", RANDOM]
    right, wrong, bar = found
    assert right.beats_random and not wrong.beats_random and not bar.beats_random
    assert wrong.comprehensiveness < bar.comprehensiveness < right.comprehensiveness
    assert right.sufficiency < bar.sufficiency < wrong.sufficiency
    assert bar.comprehensiveness_interval.low <= bar.comprehensiveness <= bar.comprehensiveness_interval.high


def test_chance_is_not_better_than_chance() -> None:
    draw = np.random.default_rng(3)
    noise = [draw.normal(size=10).tolist() for _ in TEXTS]
    [found, _] = measure_faithfulness(COUNTING, TEXTS, {"noise": noise}, 500, seed=1)
    assert not found.beats_random


def test_a_method_may_be_measured_on_fewer_rows_and_is_compared_on_these() -> None:
    found = measure_faithfulness(COUNTING, TEXTS, {"some": GOOD[:8], "all": GOOD}, 200, seed=1)
    assert {one.method: one.texts for one in found} == {"some": 8, "all": 20, RANDOM: 20}
    again = measure_faithfulness(COUNTING, TEXTS[:8], {"some": GOOD[:8]}, 200, seed=1)
    assert next(one for one in found if one.method == "some") == again[0]
