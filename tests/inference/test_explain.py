from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.classifier import Classifier
from inference.explain import MOST_WORDS, explain


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
