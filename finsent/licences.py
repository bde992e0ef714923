"""Licences of sources and what they allow the release to say of itself.

Ids are the Hub's (https://huggingface.co/docs/hub/repositories-licenses).
"""

from __future__ import annotations

from dataclasses import dataclass

from finsent.errors import RecipeError
from finsent.recipe.recipe import Recipe


@dataclass(frozen=True)
class Licence:
    """What matters of a licence when works are combined."""

    id: str
    title: str
    commercial: bool = True
    share_alike: bool = False


# One that the Hub has no id for. Nothing is known of what it allows, so it binds whatever is made from it.
OTHER = Licence("other", "another licence", commercial=False, share_alike=True)

LICENCES = {
    licence.id: licence
    for licence in (
        Licence("apache-2.0", "Apache License 2.0"),
        Licence("mit", "MIT License"),
        Licence("bsd-3-clause", "BSD 3-Clause License"),
        Licence("cc0-1.0", "Creative Commons Zero 1.0"),
        Licence("odc-by", "Open Data Commons Attribution 1.0"),
        Licence("cc-by-4.0", "Creative Commons Attribution 4.0"),
        Licence("cc-by-sa-3.0", "Creative Commons Attribution-ShareAlike 3.0", share_alike=True),
        Licence("cc-by-sa-4.0", "Creative Commons Attribution-ShareAlike 4.0", share_alike=True),
        Licence("cc-by-nc-4.0", "Creative Commons Attribution-NonCommercial 4.0", commercial=False),
        Licence("cc-by-nc-sa-3.0", "Creative Commons Attribution-NonCommercial-ShareAlike 3.0", False, True),
        Licence("cc-by-nc-sa-4.0", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", False, True),
        OTHER,
    )
}


def find_licence(licence_id: str, of: str) -> Licence:
    """Return the licence with this Hub id; RecipeError, naming `of`, when we cannot reason about it."""
    if licence_id not in LICENCES:
        raise RecipeError(f"{of}: licence {licence_id!r} is not known; allowed: {', '.join(LICENCES)}")
    return LICENCES[licence_id]


def combine_licences(sources: dict[str, str], wished: str) -> Licence:
    """Return the licence that a work built from all `sources` (name -> licence id) may carry.

    It is `wished` where every source is permissive, else the sources' share-alike or non-commercial one.
    Raises RecipeError: two different share-alike licences, or commercial share-alike beside non-commercial.
    """
    found = {name: find_licence(licence_id, name) for name, licence_id in sources.items()}
    binding = {licence.id: name for name, licence in found.items() if licence.share_alike}
    if len(binding) > 1:
        told = " and ".join(f"{licence_id} of {name}" for licence_id, name in binding.items())
        raise RecipeError(f"licences: {told} cannot be combined, each demands its own; leave one out")
    closed = {name: licence for name, licence in found.items() if not licence.commercial}
    if binding:
        only = LICENCES[next(iter(binding))]
        if only.commercial and closed:
            name, other = next(iter(closed.items()))
            raise RecipeError(
                f"licences: {only.id} of {binding[only.id]} cannot be combined with the non-commercial "
                f"{other.id} of {name}; leave one out"
            )
        return only
    if closed:
        return next(iter(closed.values()))
    return find_licence(wished, "card.licence")


def check_wish(wished: str, combined: Licence) -> None:
    """Raise RecipeError when a recipe asks for more freedom than its sources give."""
    wish = find_licence(wished, "card.licence")
    if wish.commercial and not combined.commercial:
        raise RecipeError(
            f"card.licence: got {wished!r}, but a source forbids commercial use; write {combined.id!r} "
            "or leave the source out"
        )
    if combined.share_alike and wish.id != combined.id:
        raise RecipeError(
            f"card.licence: got {wished!r}, but a source demands {combined.id!r} of what is made from it; "
            "write that or leave the source out"
        )


def recipe_licence(recipe: Recipe) -> Licence:
    """Return the licence that all sources and bases together allow, those of teachers too.

    Raises RecipeError when they cannot be combined, or when the recipe's card asks for more freedom.
    """
    used = {source.name: source.licence for source in recipe.data.sources} | {"base": recipe.base.licence}
    used |= {f"base of {teacher.name}": recipe_licence(teacher).id for teacher in recipe.teachers}
    combined = combine_licences(used, recipe.card.licence)
    check_wish(recipe.card.licence, combined)
    return combined
