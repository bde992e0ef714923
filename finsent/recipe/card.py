"""Sections on what is published: the words of the model card, and where the release goes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from finsent.recipe.section import HubId, Section, Version

Note = Annotated[str, Field(min_length=1, max_length=600)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Tone = Literal["good", "bad", "neither"]
SHORTEST_DESCRIPTION, LONGEST_DESCRIPTION = 1, 60  # characters that the Hub takes


class Example(Section):
    """A text for the widget, with the label that a reader expects."""

    title: str = Field(description="label of its button")
    text: str = Field(description="the text itself")
    expected: str = Field(description="the label that a reader expects")


class Unit(Section):
    """What one text and several texts are called: review, reviews."""

    one: Name = Field("text", description="one text")
    many: Name = Field("texts", description="several texts")


class Pair(Section):
    """Two texts in nearly the same words with different labels; the demo answers them side by side."""

    texts: list[str] = Field(min_length=2, max_length=2, description="the two texts")
    note: str | None = Field(None, description="why it is hard, in one sentence")


class Card(Section):
    """The words of the model card and the demo that only you can write."""

    title: str = Field(description="the heading")
    summary: str = Field(description="what the model does, in one sentence")
    intended_use: str = Field(description="what the model is for")
    out_of_scope: list[str] = Field(min_length=1, description="what it is not for; one sentence each")
    limits: list[str] = Field(min_length=1, description="what it gets wrong; one sentence each")
    notice: str | None = Field(
        None,
        exclude_if=lambda notice: notice is None,  # as for `changes` below
        description="a sentence that every user must see; shown in the card and in the demo",
    )
    licence: str = Field("apache-2.0", description="of the release; refused if a source forbids it")
    licence_name: str | None = Field(
        None, exclude_if=lambda name: name is None, description="name of the licence, with licence: other"
    )
    licence_link: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        exclude_if=lambda link: link is None,
        description="address of the licence, with licence: other",
    )
    language: Language | list[Language] = Field(
        "en", min_length=1, description="ISO 639 code of the texts, or several"
    )
    tags: list[str] = Field([], description="tags for the Hub, in addition to the automatic ones")
    authors: list[str] = Field(min_length=1, description="authors, for the citation")
    unit: Unit = Field(
        Unit(), exclude_if=lambda unit: unit == Unit(), description="what one text and several are called"
    )
    label_meanings: dict[str, str] = Field(description="label -> what it means, for readers")
    tones: dict[str, Tone] = Field(
        {},
        exclude_if=lambda tones: not tones,
        description="label -> good, bad or neither; other labels get a colour without meaning",
    )
    examples: list[Example] = Field(min_length=1, description="the demo opens with the first one")
    pair: Pair | None = Field(
        None, exclude_if=lambda pair: pair is None, description="two texts that are easily confused"
    )
    emoji: str | None = Field(
        None, max_length=8, exclude_if=lambda emoji: emoji is None, description="of the demo, one character"
    )
    short_description: str | None = Field(
        None,
        min_length=SHORTEST_DESCRIPTION,
        max_length=LONGEST_DESCRIPTION,
        exclude_if=lambda text: text is None,
        description="of the demo",
    )
    changes: dict[Version, Note] = Field(
        {},
        exclude_if=lambda changes: not changes,  # recipes from before it keep their fingerprint
        description="version -> what is new in it, for the commit and the tag of a push",
    )

    @property
    def languages(self) -> list[str]:
        """The codes of all languages."""
        return [self.language] if isinstance(self.language, str) else self.language

    @model_validator(mode="after")
    def _names_another_licence(self) -> Self:
        told = self.licence_name is not None and self.licence_link is not None
        if self.licence == "other" and not told:
            raise ValueError("licence: other also needs licence_name and licence_link")
        if self.licence != "other" and (self.licence_name or self.licence_link):
            raise ValueError(
                f"licence_name and licence_link are for licence: other, got {self.licence!r}; leave them out"
            )
        return self


class Hub(Section):
    """Where to publish the release."""

    model: HubId = Field(description="id of the model repository, such as you/your-model")
    space: HubId = Field(description="id of the Space with the demo")
