from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.classifier import Classifier
from inference.explain import (
    LONGEST_TEXT,
    METHODS,
    MOST_ORDERS,
    MOST_VARIANTS,
    MOST_WORDS,
    draw_orders,
    explain,
)


class Counting:
    """A classifier whose probability of `up` grows with the number of times that the text says good."""

    labels = ("down", "up")

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def predict(self, texts: list[str]) -> Any:
        self.calls.append(texts)
        up = np.array([0.6 + 0.1 * text.count("good") - 0.1 * text.count("bad") for text in texts])
        return np.stack([1 - up, up], axis=1)


def test_each_word_is_left_out_in_turn_in_one_batch() -> None:
    counting = Counting()
    found = explain(counting, "good news,  bad weather")  # type: ignore[arg-type]
    assert [word.text for word in found.words] == ["good", "news,", "bad", "weather"]
    assert [word.effect for word in found.words] == pytest.approx([0.1, 0, -0.1, 0])
    assert found.label == "up"
    assert len(counting.calls) == 1


def test_words_behind_what_is_read_are_not_tried() -> None:
    counting = Counting()
    found = explain(counting, "good " * 300)  # type: ignore[arg-type]
    assert len(found.words) == 300
    assert [word.effect is None for word in found.words].count(False) == MOST_WORDS
    assert len(counting.calls[0]) == MOST_WORDS + 1
    assert found.words[-1].effect is None


def test_a_text_without_words_has_a_label_and_no_reasons(tiny_release: Path) -> None:
    assert explain(Classifier(tiny_release), " ").words == []


def test_the_effect_is_that_of_the_classifier(tiny_release: Path) -> None:
    classifier = Classifier(tiny_release)
    found = explain(classifier, "profit rose sharply")
    whole = classifier("profit rose sharply")
    without = classifier("profit rose ").scores[whole.label]
    assert found.words[2].effect == pytest.approx(whole.score - without, abs=1e-5)


def test_orders_come_in_pairs_and_are_bounded() -> None:
    for words in range(MOST_WORDS + 1):
        orders = draw_orders(words)
        assert 2 <= len(orders) <= MOST_ORDERS
        assert all(sorted(order) == list(range(words)) for order in orders)
        assert all(one == two[::-1] for one, two in zip(orders[::2], orders[1::2], strict=True))
        assert len(orders) * words <= MOST_VARIANTS
        assert draw_orders(words) == orders
    first = [order[0] for order in draw_orders(8)]
    assert len(set(first)) > 4  # they are not all alike


def test_shapley_values_share_what_words_do_together() -> None:
    """Two words that say the same: leaving one out changes nothing, and leaving out both does."""

    class Either(Counting):
        def predict(self, texts: list[str]) -> Any:
            self.calls.append(texts)
            up = np.array([0.9 if "good" in text or "great" in text else 0.6 for text in texts])
            return np.stack([1 - up, up], axis=1)

    either: Any = Either()
    alone, together = (explain(either, "a good and great day", method) for method in METHODS)
    assert [word.effect for word in alone.words] == [0, 0, 0, 0, 0] and alone.orders is None
    assert [word.effect for word in together.words] == pytest.approx([0, 0.15, 0, 0.15, 0], abs=0.06)
    assert sum(word.effect or 0 for word in together.words) == pytest.approx(0.3)
    assert together.orders == MOST_ORDERS
    assert len(either.calls[1]) == len(set(either.calls[1])) <= MOST_VARIANTS


def test_shapley_values_of_a_sum_are_its_terms() -> None:
    counting: Any = Counting()
    found = explain(counting, "good news,  bad weather", "shapley")
    assert [word.effect for word in found.words] == pytest.approx([0.1, 0, -0.1, 0])
    assert found.label == "up"


def test_shapley_values_add_up_for_a_real_model_and_are_the_same_again(tiny_release: Path) -> None:
    classifier = Classifier(tiny_release)
    text = "profit rose sharply " * 40
    found = explain(classifier, text, "shapley")
    assert found == explain(classifier, text, "shapley")
    assert [word.effect is None for word in found.words].count(False) <= MOST_WORDS
    short = explain(classifier, "profit rose sharply", "shapley")
    whole = classifier("profit rose sharply")
    expected = whole.score - classifier("  ").scores[whole.label]
    assert sum(word.effect or 0 for word in short.words) == pytest.approx(expected, abs=1e-5)
    assert explain(classifier, " ", "shapley").words == []


def test_no_variant_is_longer_than_any_release_reads() -> None:
    counting: Any = Counting()
    found = explain(counting, "good " * 30_000, "shapley")
    assert len(found.words) == 30_000
    assert max(map(len, counting.calls[0])) <= LONGEST_TEXT
