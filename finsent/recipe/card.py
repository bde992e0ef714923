"""Sections on what is published: the words of the model card, and where the release goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from finsent.recipe.section import HubId, Section, Version

Note = Annotated[str, Field(min_length=1, max_length=600)]


class Example(Section):
    """A text for the widget, with the label that a reader would expect."""

    title: str
    text: str
    expected: str


class Card(Section):
    """The words of the model card that no run can find out."""

    title: str
    summary: str
    intended_use: str
    out_of_scope: list[str] = Field(min_length=1)
    limits: list[str] = Field(min_length=1)
    licence: str = Field("apache-2.0", description="refused where a source forbids it")
    language: str = Field("en", pattern=r"^[a-z]{2}$")
    tags: list[str] = Field(["finance", "sentiment-analysis"])
    authors: list[str] = Field(min_length=1)
    label_meanings: dict[str, str]
    examples: list[Example] = Field(min_length=1)
    changes: dict[Version, Note] = Field(
        {},
        exclude_if=lambda changes: not changes,  # recipes from before it keep their fingerprint
        description="version -> what is new in it, for the commit and the tag of a push",
    )


class Hub(Section):
    """Where the release goes."""

    model: HubId
    space: HubId
