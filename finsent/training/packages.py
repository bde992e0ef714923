"""The packages that a recipe needs beyond requirements.txt; without torch, so that it is told at once."""

from __future__ import annotations

import importlib.util

from finsent.errors import RecipeError
from finsent.recipe.recipe import Recipe

LOW_RANK = ("requirements-methods.txt", ("peft",))
FOUR_BIT = ("requirements-qlora.txt", ("peft", "bitsandbytes"))
NEEDED = {"lora": LOW_RANK, "ia3": LOW_RANK, "qlora": FOUR_BIT}  # by the kind of an adapter


def check_packages(recipe: Recipe) -> None:
    """Raise RecipeError where the adapter of a recipe, or of a teacher, needs a package that is not there."""
    for one in (recipe, *recipe.teachers):
        if one.adapter is None:
            continue
        file, packages = NEEDED[one.adapter.kind]
        if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
            raise RecipeError(
                f"adapter: {one.name} has one of kind {one.adapter.kind}, which needs "
                f"{' and '.join(missing)}; pip install -r {file}"
            )
