"""The rows of a recipe as its model will see them: sources and encoder brought together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from finsent.data.inspection import Inspection, inspect_splits
from finsent.data.splits import Splits, load_splits
from finsent.encoder.reading import read_base
from finsent.recipe.recipe import Recipe


def prepare_splits(recipe: Recipe, mirror: Path | None) -> Splits:
    """Return the splits of a recipe; copies conflict where the recipe's base sees no difference between them.

    The base is looked for only when there are such copies. Raises DataError and BaseModelError.
    """

    def identify(texts: Sequence[str]) -> Sequence[Hashable]:
        return read_base(recipe, mirror).identify(texts) if texts else []

    return load_splits(recipe, mirror, identify)


def inspect_rows(recipe: Recipe, splits: Splits, mirror: Path | None) -> Inspection:
    """Return what is worth knowing of the rows before a training, read as the recipe's base does."""
    return inspect_splits(recipe, splits, read_base(recipe, mirror).measure)
