"""The keys that a recipe knows, and which of them a misspelt or misplaced one was meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from finsent.recipe.section import Placed

OF_A_FILE = ("extends", "replace")  # keys of a file, not of a recipe


def known_keys(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every key of a model and of its sections, but not of other recipes in it."""
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute  # what a file says: int, not whole
        yield f"{path}{name}"
        for section in _sections(field.annotation):
            if not issubclass(section, Placed):
                yield from known_keys(section, f"{path}{name}.")


def suggest_key(model: type[BaseModel], place: Sequence[int | str]) -> str | None:
    """Return the key that `place`, a path as pydantic gives it, probably means; None if none is like it.

    Keys of the same section come first, then a key of the same name in another section.
    """
    known = [*known_keys(model), *OF_A_FILE]
    wrong, section = str(place[-1]), ""
    for part in place[:-1]:  # numbers in lists and kinds of sources are no keys
        if f"{section}{part}" in known:
            section += f"{part}."
    beside = [key.removeprefix(section) for key in known if key.startswith(section)]
    near = get_close_matches(wrong.lower(), [key for key in beside if "." not in key], n=1)
    elsewhere = [key for key in known if key.rpartition(".")[2] == wrong]
    return section + near[0] if near else elsewhere[0] if elsewhere else None


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  (any annotation of a field)
    """Yield the models that an annotation names, in lists and unions, too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)
