"""How much better a release does on rows that it was trained on: a sample of them beside the test rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from finsent.data.rows import Row
from finsent.recipe.recipe import Recipe
from finsent.scoring import Interval, newcombe, wilson
from inference.classifier import Classifier
from model_card.measure.abstention import Judged
from model_card.measure.metrics_file import SeenRows
from model_card.measure.scores import class_numbers

MOST_ROWS = 1000  # takes seconds, and the interval is about two points wide on either side


def measure_seen_rows(recipe: Recipe, rows: Sequence[Row], classifier: Classifier, test: Judged) -> SeenRows:
    """Return the accuracy on a drawn sample of training rows, beside that of the judged test rows."""
    sample = random.Random(recipe.seed).sample(rows, min(MOST_ROWS, len(rows)))
    found = classifier.predict([row.text for row in sample], recipe.evaluation.batch_size).argmax(axis=1)
    right = int((found == class_numbers(sample, recipe.labels)).sum())
    beside = int(test.right.sum()), len(test.right)
    return SeenRows(
        rows=len(sample),
        accuracy=right / len(sample),
        accuracy_interval=Interval(*wilson(right, len(sample))),
        gap=right / len(sample) - beside[0] / beside[1],
        gap_interval=Interval(*newcombe(right, len(sample), *beside)),
    )
