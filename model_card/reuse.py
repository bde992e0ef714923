"""What a release that lies there was made from, as its recipe.yaml and metrics.json say."""

from __future__ import annotations

from pathlib import Path

from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.preparation import prepare_transfer
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, RECIPE
from model_card.measure.metrics_file import read_metrics


def was_made_from(release: Path, recipe: Recipe, splits: Splits, mirror: Path | None) -> bool:
    """Tell whether a recipe and these training rows would make the weights of a release again.

    What is not there, or was written by another version of finsent, was not. Texts without labels are drawn
    again to compare them; releases that do not say what they learnt are taken as they are. Raises DataError
    if such texts cannot be read.
    """
    if not (release / RECIPE).is_file():
        return False
    try:
        made_from, metrics = read_released_recipe(release / RECIPE), read_metrics(release / METRICS)
    except FinsentError:
        return False
    same_rows = metrics.data.fingerprints["train"] == splits.report.fingerprints["train"]
    if not same_rows or made_from.making_fingerprint() != recipe.making_fingerprint():
        return False
    learnt = metrics.training.transfer
    if learnt is None or not learnt.digest:
        return True
    drawn = prepare_transfer(recipe, splits, mirror)
    return drawn is not None and drawn.digest() == learnt.digest
