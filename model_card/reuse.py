"""What a release that lies there was made from, as its recipe.yaml and metrics.json say."""

from __future__ import annotations

from pathlib import Path

from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, RECIPE
from model_card.measure.metrics_file import read_metrics


def was_made_from(release: Path, recipe: Recipe, splits: Splits) -> bool:
    """Tell whether a recipe and these training rows would make the weights of a release again.

    What is not there, or was written by another version of finsent, was not.
    """
    if not (release / RECIPE).is_file():
        return False
    try:
        made_from, metrics = read_released_recipe(release / RECIPE), read_metrics(release / METRICS)
    except FinsentError:
        return False
    same_rows = metrics.data.fingerprints["train"] == splits.report.fingerprints["train"]
    return same_rows and made_from.making_fingerprint() == recipe.making_fingerprint()
