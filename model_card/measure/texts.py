"""The test rows as the released model sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from finsent.data.rows import Row
from finsent.encoder.reading import read_release
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats
from model_card.measure.metrics_file import TextResults
from model_card.measure.scores import class_numbers


def measure_texts(recipe: Recipe, folder: Path, rows: list[Row], probabilities: Floats) -> TextResults:
    """Return the words of test rows, and the accuracy of `probabilities` `(n, n_labels)` by cut or whole."""
    found = read_release(folder, recipe).measure([row.text for row in rows])
    right = probabilities.argmax(axis=1) == class_numbers(rows, recipe.labels)
    cut = np.array(found.cut)
    return TextResults(
        rows=len(rows),
        cut=int(cut.sum()),
        bound=recipe.text.max_characters,
        accuracy_cut=float(right[cut].mean()) if cut.any() else None,
        accuracy_whole=float(right[~cut].mean()) if not cut.all() else None,
        scripts=found.scripts,
    )
