"""Measuring the methods on a sample of test rows, and explaining the texts that the card shows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from finsent.cli import say
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from inference.explain import Method, explain, find_words
from model_card.explanations.faithfulness import SHARES, measure_faithfulness
from model_card.explanations.figures import (
    GRADIENT,
    INTEGRATED,
    LEAVE_ONE_OUT,
    SHAPLEY,
    AttentionView,
    Explanations,
    WordEffects,
)
from model_card.explanations.gradients import MOST_STEPS, Gradients, cut_pieces
from model_card.measure.metrics_file import ExampleResult, Mistake

MOST_TEXTS = 40
LEAST_TEXTS = 12  # with fewer, no method can be told from chance
SHAPLEY_TEXTS = 16  # of them, because each takes hundreds of answers
FEWEST_WORDS = 3  # there is no order to speak of below
MOST_WORK = 3e10  # parameters × tokens, about half a minute of integrated gradients on two cores
Explain = Callable[[str, int], list[float]]  # text, number of the label -> an effect a word


@dataclass(frozen=True)
class Explained:
    """What was measured, None where it would take too long, and the texts of the card with their words."""

    figures: Explanations | None
    examples: list[ExampleResult]
    mistakes: list[Mistake]


def explain_release(
    recipe: Recipe,
    texts: Sequence[str],
    folder: Path,
    file: str,
    examples: list[ExampleResult],
    mistakes: list[Mistake],
) -> Explained:
    """Measure every method on some of the test rows' `texts`, and explain the texts that the card shows.

    They are explained only if integrated gradients turn out to be better than random order.
    """
    started = time.monotonic()
    gradients = Gradients(folder)
    classifier = Classifier(folder, file)
    chosen = choose_texts(classifier, texts, gradients.size, recipe.seed)
    if len(chosen) < LEAST_TEXTS:
        told = f"only {len(chosen)} test rows are short enough, {LEAST_TEXTS} are needed"
        say(f"explanations: not measured, {told}")
        return Explained(None, examples, mistakes)
    figures = measure_methods(classifier, gradients, chosen, examples[:1], recipe)
    if figures.shows(INTEGRATED):
        examples = [_explain_example(one, classifier, gradients) for one in examples]
        mistakes = [_explain_mistake(one, classifier, gradients) for one in mistakes]
    seconds = time.monotonic() - started
    return Explained(replace(figures, seconds=seconds), examples, mistakes)


def choose_texts(classifier: Classifier, texts: Sequence[str], size: int, seed: int) -> list[str]:
    """Return up to MOST_TEXTS drawn texts of FEWEST_WORDS words or more, for a model of so many parameters.

    They are bounded by MOST_WORK and not by the clock, so that two runs choose the same.
    """
    chosen: list[str] = []
    work = 0
    for text in random.Random(seed).sample(list(texts), len(texts)):
        if len(find_words(text)[1]) < FEWEST_WORDS:
            continue
        work += size * len(classifier.tokenize([text])[0].ids)
        if work > MOST_WORK or len(chosen) == MOST_TEXTS:
            break
        chosen.append(text)
    return chosen


def measure_methods(
    classifier: Classifier,
    gradients: Gradients,
    texts: list[str],
    examples: list[ExampleResult],
    recipe: Recipe,
) -> Explanations:
    """Return the figures of every method on `texts`, and where attention looks in the first example."""
    labels = classifier.predict(texts).argmax(axis=1).tolist()
    bounds = {SHAPLEY: SHAPLEY_TEXTS}
    effects = {
        name: [
            method(text, label) for text, label in list(zip(texts, labels, strict=True))[: bounds.get(name)]
        ]
        for name, method in make_methods(classifier, gradients).items()
    }
    return Explanations(
        methods=measure_faithfulness(classifier, texts, effects, recipe.evaluation.bootstrap, recipe.seed),
        shares=list(SHARES),
        steps=MOST_STEPS,
        attention=_view_attention(classifier, gradients, examples[0].text) if examples else None,
        seconds=0,
    )


def make_methods(classifier: Classifier, gradients: Gradients) -> dict[str, Explain]:
    """Return every method by its name."""

    def ask(method: Method) -> Explain:
        return lambda text, _: [word.effect or 0 for word in explain(classifier, text, method).words]

    def multiply(text: str, label: int) -> list[float]:
        pieces = cut_pieces(classifier, text)
        return pieces.by_word(gradients.multiply(pieces, label))

    def integrate(text: str, label: int) -> list[float]:
        pieces = cut_pieces(classifier, text)
        return pieces.by_word(gradients.integrate(pieces, label))

    return {
        LEAVE_ONE_OUT: ask("leave-one-out"),
        SHAPLEY: ask("shapley"),
        GRADIENT: multiply,
        INTEGRATED: integrate,
    }


def explain_text(classifier: Classifier, gradients: Gradients, text: str, label: str) -> WordEffects:
    """Return what each word of a text does for a label, by integrated gradients."""
    pieces, number = cut_pieces(classifier, text), classifier.labels.index(label)
    effects = gradients.integrate(pieces, number)
    whole, empty = gradients.measure_at(pieces, number, 1, 0)
    error = abs(float(effects.sum()) - (whole - empty))
    return WordEffects(label, pieces.by_word(effects), whole, empty, error)


def _explain_example(one: ExampleResult, classifier: Classifier, gradients: Gradients) -> ExampleResult:
    label = max(one.scores, key=one.scores.__getitem__)
    return one.model_copy(update={"explanation": explain_text(classifier, gradients, one.text, label)})


def _explain_mistake(one: Mistake, classifier: Classifier, gradients: Gradients) -> Mistake:
    return one.model_copy(
        update={"explanation": explain_text(classifier, gradients, one.text, one.predicted)}
    )


def _view_attention(classifier: Classifier, gradients: Gradients, text: str) -> AttentionView | None:
    pieces = cut_pieces(classifier, text)
    weights = gradients.look(pieces)
    return None if weights is None else AttentionView(text, pieces.tokens, weights)
