"""The rows of a recipe as its model will see them: sources and encoder brought together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from finsent.data.inspection import inspect_splits
from finsent.data.splits import Splits, load_splits
from finsent.data.telling import tell_briefly
from finsent.encoder.reading import read_base
from finsent.recipe.recipe import Recipe


def prepare_splits(recipe: Recipe, mirror: Path | None) -> Splits:
    """Return the splits of a recipe; copies conflict where the recipe's base sees no difference between them.

    The base is looked for only when there are such copies. Raises DataError and BaseModelError.
    """

    def identify(texts: Sequence[str]) -> Sequence[Hashable]:
        return read_base(recipe, mirror).identify(texts) if texts else []

    return load_splits(recipe, mirror, identify)


def look_at_rows(recipe: Recipe, splits: Splits, mirror: Path | None) -> list[str]:
    """Return what a person should know of the rows before a training, in a few lines."""
    return tell_briefly(inspect_splits(recipe, splits, read_base(recipe, mirror).measure))
