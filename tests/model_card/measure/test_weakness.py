from __future__ import annotations

from dataclasses import replace

import pytest

from finsent.errors import ReleaseError
from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.measure.metrics_file import Baseline, Metrics
from model_card.measure.weakness import chance_macro_f1, check_strength, find_weaknesses, is_beaten
from tests.model_card.samples import make_recipe


def with_accuracy(metrics: Metrics, name: str, accuracy: float, macro_f1: float) -> Baseline:
    scores = metrics.variant(metrics.default_variant).scores
    return Baseline(name=name, scores=replace(scores, accuracy=accuracy, macro_f1=macro_f1))


@pytest.mark.parametrize(
    ("name", "accuracy", "macro_f1", "beaten"),
    [
        ("TF-IDF + logistic regression", 0.832, 0.83, True),
        ("TF-IDF + logistic regression", 0.806, 0.80, False),  # a draw
        ("TF-IDF + logistic regression", 0.806, 0.81, True),
        ("TF-IDF + logistic regression", 0.832, 0.79, False),  # the rarer labels are worth more
        ("majority class", 0.806, 0.80, True),  # a draw, with the simplest there is
        ("majority class", 0.9, 0.3, False),
    ],
)
def test_a_simpler_method_wins_when_it_is_ahead_and_nowhere_behind(
    name: str, accuracy: float, macro_f1: float, beaten: bool, metrics: Metrics
) -> None:
    ours = with_accuracy(metrics, "ours", 0.806, 0.80).scores
    assert is_beaten(ours, with_accuracy(metrics, name, accuracy, macro_f1)) == beaten


def test_chance_is_that_of_labels_drawn_evenly() -> None:
    assert chance_macro_f1({"a": 10, "b": 10, "c": 10}, 3) == pytest.approx(1 / 3)
    assert chance_macro_f1({"a": 95, "b": 5}, 2) == pytest.approx((0.95 / 1.45 + 0.05 / 0.55) / 2)
    assert chance_macro_f1({"a": 10}, 2) == pytest.approx(1 / 3)  # one class has no row


def test_a_sound_release_has_no_weakness(metrics: Metrics) -> None:
    assert find_weaknesses(metrics) == []


def test_a_validation_below_chance_is_weak(metrics: Metrics) -> None:
    training = replace(metrics.training, validation_macro_f1=0.2)
    told = find_weaknesses(metrics.model_copy(update={"training": training}))
    assert told == ["On the validation rows macro F1 is 20.0 %; random labels reach 32.9 %."]


@pytest.fixture
def weak(metrics: Metrics) -> Metrics:
    baseline = with_accuracy(metrics, "TF-IDF + logistic regression", 0.999, 0.999)
    beaten = metrics.model_copy(update={"baselines": [metrics.baselines[0], baseline]})
    return beaten.model_copy(update={"weak": find_weaknesses(beaten)})


def test_a_weak_release_is_refused_and_told_why(weak: Metrics, recipe: Recipe) -> None:
    told = r"not released, because it is weak: Accuracy and macro F1.*TF-IDF.*99\.9 %.*write allow_weak: true"
    with pytest.raises(ReleaseError, match=told):
        check_strength(recipe, weak)
    check_strength(make_recipe(allow_weak=True), weak)


def test_the_card_of_a_weak_release_says_so(weak: Metrics, metrics: Metrics, recipe: Recipe) -> None:
    allowed = make_recipe(allow_weak=True)
    card = build_card(allowed, weak)
    assert "**This release is weak.** It was published because its recipe says `allow_weak: true`" in card
    assert f"- {weak.weak[0]}" in card
    assert "weak" not in build_card(recipe, metrics)


def test_the_key_changes_no_fingerprint_of_a_recipe_without_it() -> None:
    assert "allow_weak" not in make_recipe().model_dump()
    assert make_recipe(allow_weak=True).making_fingerprint() == make_recipe().making_fingerprint()
