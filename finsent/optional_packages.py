"""Packages that only some recipes and commands need; nothing is imported to see whether they are there."""

from __future__ import annotations

from importlib.util import find_spec

from finsent.errors import FinsentError
from finsent.recipe.recipe import Recipe

METHODS, QLORA = "requirements-methods.txt", "requirements-qlora.txt"
ADAPTERS = {  # what each kind needs, and where that is listed
    "lora": (("peft",), METHODS),
    "ia3": (("peft",), METHODS),
    "qlora": (("peft", "bitsandbytes"), QLORA),
}


def require_packages(what: str, *packages: str, requirements: str = METHODS) -> None:
    """Raise FinsentError, with the command that mends it, if a package that `what` needs is missing."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise FinsentError(
            f"{what} needs {' and '.join(missing)}; install with: pip install -r {requirements}"
        )


def check_packages(recipe: Recipe) -> None:
    """Raise FinsentError where the adapter of a recipe, or of a teacher to build, needs a missing package."""
    if recipe.adapter is not None:
        packages, requirements = ADAPTERS[recipe.adapter.kind]
        what = f"adapter: {recipe.name} has one of kind {recipe.adapter.kind}, which"
        require_packages(what, *packages, requirements=requirements)
    for teacher in recipe.built_teachers:
        check_packages(teacher)
