"""Single texts that the card shows: the chosen examples, and test rows that the default file gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finsent.data.rows import Row
from finsent.recipe.card import Example
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats
from inference.classifier import Classifier
from model_card.measure.metrics_file import ExampleResult, Mistake
from model_card.measure.scores import class_numbers, slice_name

MISTAKES = 20


def run_examples(examples: Sequence[Example], classifier: Classifier) -> list[ExampleResult]:
    """Ask a classifier for the chosen examples."""
    predictions = classifier.classify([example.text for example in examples])
    return [
        ExampleResult(title=one.title, text=one.text, expected=one.expected, scores=found.scores)
        for one, found in zip(examples, predictions, strict=True)
    ]


def find_mistakes(recipe: Recipe, rows: list[Row], probabilities: Floats) -> list[Mistake]:
    """Return mistakes on rows of sources whose texts may be shown.

    They are taken at equal distances from all of them, in order of slice and confidence: a fair sample,
    neither the worst nor the best.
    """
    ours = {source.name for source in recipe.data.sources if source.show_texts}
    labels = class_numbers(rows, recipe.labels)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels).tolist()
    shown = sorted(
        (index for index in wrong if rows[index].source in ours),
        key=lambda index: (slice_name(rows[index]), -float(probabilities[index].max()), index),
    )
    count = min(MISTAKES, len(shown))
    chosen = [shown[position * len(shown) // count] for position in range(count)]
    return [
        Mistake(
            text=rows[index].text,
            expected=rows[index].label,
            predicted=recipe.labels[int(probabilities[index].argmax())],
            score=float(probabilities[index].max()),
            slice=slice_name(rows[index]),
        )
        for index in chosen
    ]
