"""Licences of sources and what they allow the release to say of itself.

Ids are the Hub's (https://huggingface.co/docs/hub/repositories-licenses).
"""

from __future__ import annotations

from dataclasses import dataclass

from finsent.errors import RecipeError
from finsent.recipe.pretraining import Pretraining
from finsent.recipe.recipe import Recipe


@dataclass(frozen=True)
class Licence:
    """What matters of a licence when works are combined.

    `later` is the version that an adaptation may be given under too: of the share-alike licences 3.0 of
    Creative Commons section 4(b) allows "a later version of this License with the same License Elements"
    (https://creativecommons.org/licenses/by-nc-sa/3.0/legalcode, .../by-sa/3.0/legalcode).
    """

    id: str
    title: str
    commercial: bool = True
    share_alike: bool = False
    own_terms: bool = False
    later: str | None = None


THE_BASE = "the base"  # beside the names of sources, which have no blanks
OTHER = "other"  # the Hub's id for terms that are elsewhere, or for none: then no right is given
LICENCES = {
    licence.id: licence
    for licence in (
        Licence("apache-2.0", "Apache License 2.0"),
        Licence("mit", "MIT License"),
        Licence("bsd-3-clause", "BSD 3-Clause License"),
        Licence("cc0-1.0", "Creative Commons Zero 1.0"),
        Licence("odc-by", "Open Data Commons Attribution 1.0"),
        Licence("cc-by-4.0", "Creative Commons Attribution 4.0"),
        Licence(
            "cc-by-sa-3.0",
            "Creative Commons Attribution-ShareAlike 3.0",
            share_alike=True,
            later="cc-by-sa-4.0",
        ),
        Licence("cc-by-sa-4.0", "Creative Commons Attribution-ShareAlike 4.0", share_alike=True),
        Licence("cc-by-nc-4.0", "Creative Commons Attribution-NonCommercial 4.0", commercial=False),
        Licence(
            "cc-by-nc-sa-3.0",
            "Creative Commons Attribution-NonCommercial-ShareAlike 3.0",
            commercial=False,
            share_alike=True,
            later="cc-by-nc-sa-4.0",
        ),
        Licence("cc-by-nc-sa-4.0", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", False, True),
        Licence(OTHER, "their own terms", commercial=False, own_terms=True),
    )
}


def find_licence(licence_id: str, of: str) -> Licence:
    """Return the licence with this Hub id; RecipeError, naming `of`, when we cannot reason about it."""
    if licence_id not in LICENCES:
        raise RecipeError(f"{of}: licence {licence_id!r} is not known; allowed: {', '.join(LICENCES)}")
    return LICENCES[licence_id]


def combine_licences(sources: dict[str, str], wished: str) -> Licence:
    """Return the licence that a work built from all `sources` (name -> licence id) may carry.

    It is `wished` where every source is permissive, else the sources' share-alike or non-commercial one, and
    `other` where a source has terms of its own, of which nothing is known here.
    Raises RecipeError: two different share-alike licences that are no versions of one, or commercial
    share-alike beside non-commercial or beside terms of its own.
    """
    found = {name: find_licence(licence_id, name) for name, licence_id in sources.items()}
    own = [licence for licence in found.values() if licence.own_terms]
    closed = [licence for licence in found.values() if not licence.commercial]
    binding = {licence.id: name for name, licence in found.items() if licence.share_alike}
    if binding:
        return _bind(binding, found)
    return next(iter([*own, *closed]), None) or find_licence(wished, "card.licence")


def _bind(binding: dict[str, str], found: dict[str, Licence]) -> Licence:
    """Return the one share-alike licence (id -> source); RecipeError if another source is against it."""
    binding = {own: name for own, name in binding.items() if LICENCES[own].later not in binding}
    if len(binding) > 1:
        told = " and ".join(f"{licence_id} of {name}" for licence_id, name in binding.items())
        raise RecipeError(
            f"licences: {told} cannot be combined, because each demands its own terms; leave one out"
        )
    ((licence_id, source),) = binding.items()
    for name, other in found.items():
        if other.own_terms or (LICENCES[licence_id].commercial and not other.commercial):
            told = "own terms" if other.own_terms else f"non-commercial {other.id}"
            raise RecipeError(
                f"licences: {licence_id} of {source} cannot be combined with the {told} of {name}; "
                "leave one out"
            )
    return LICENCES[licence_id]


def check_wish(wished: str, combined: Licence, key: str = "card.licence") -> None:
    """Raise RecipeError if a recipe asks by `key` for more freedom than its sources give."""
    wish = find_licence(wished, key)
    if combined.own_terms and not wish.own_terms:
        raise RecipeError(
            f"{key}: got {wished!r}, but a source has its own terms; write {OTHER!r} with "
            "licence_name and licence_link, or leave the source out"
        )
    if wish.commercial and not combined.commercial:
        raise RecipeError(
            f"{key}: got {wished!r}, but a source forbids commercial use; write {combined.id!r} "
            "or leave the source out"
        )
    if combined.share_alike and wish.id != combined.id:
        raise RecipeError(
            f"{key}: got {wished!r}, but a source demands {combined.id!r} for works made from it; "
            "write that or leave the source out"
        )


def recipe_licence(recipe: Recipe) -> Licence:
    """Return the licence that all sources, labelled or not, and bases together allow, those of teachers too.

    Raises RecipeError if they cannot be combined, or when the recipe's card asks for more freedom.
    """
    used = {origin.name: origin.licence for origin in recipe.data.origins} | {THE_BASE: recipe.base.licence}
    if recipe.base.recipe is not None:
        used |= {f"{origin.name} of the encoder": origin.licence for origin in recipe.base.recipe.origins}
    used |= {f"base of {teacher.name}": recipe_licence(teacher).id for teacher in recipe.teachers}
    combined = combine_licences(used, recipe.card.licence)
    check_wish(recipe.card.licence, combined)
    return combined


def pretraining_licence(recipe: Pretraining) -> Licence:
    """Return the licence that the texts of a pretraining and its base allow; RecipeError as above."""
    used = {origin.name: origin.licence for origin in recipe.origins}
    used |= {THE_BASE: recipe.base.licence} if recipe.base else {}
    combined = combine_licences(used, recipe.licence)
    check_wish(recipe.licence, combined, "licence")
    return combined
