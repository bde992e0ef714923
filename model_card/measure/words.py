"""The words of a release for its demo and its API, as metrics.json carries them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from finsent.recipe.card import Card


class _Words(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)


class UnitWords(_Words):
    """What one text is called, and several of them."""

    one: str = "text"
    many: str = "texts"


class PairWords(_Words):
    """Two texts in nearly the same words with different labels, and what is hard about them."""

    texts: list[str]
    note: str | None = None


class Words(_Words):
    """The words of the recipe; a release from before has the defaults, and no label of it has a tone."""

    unit: UnitWords = UnitWords()
    tones: dict[str, str] = {}
    pair: PairWords | None = None
    notice: str | None = None
    languages: list[str] = []


def read_card_words(card: Card) -> Words:
    """Return what a recipe's card says that the demo needs."""
    return Words.model_validate(card)
