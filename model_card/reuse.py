"""What a release that lies there was made from, as its recipe.yaml and metrics.json say."""

from __future__ import annotations

from pathlib import Path

from finsent.cli import say
from finsent.data.splits import Splits
from finsent.errors import DataError, FinsentError
from finsent.preparation import select_transfer
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, RECIPE
from model_card.measure.metrics_file import read_metrics


def was_made_from(release: Path, recipe: Recipe, splits: Splits, mirror: Path | None) -> bool:
    """Tell whether a release was made by this recipe from these rows and from texts as they are now.

    What is not there, or was written by another version of finsent, was not. Texts without labels are drawn
    again to compare them. If they cannot be read, this is said and the release is taken, and so is one from
    before such texts were noted. Which weights of its teachers taught it is not compared.
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
    try:
        drawn = select_transfer(recipe, splits, mirror)
    except DataError as error:
        say(
            f"  {recipe.name} is used as it is; whether its texts without labels changed is not known: "
            f"{error}"
        )
        return True
    return drawn is not None and drawn.digest() == learnt.digest
