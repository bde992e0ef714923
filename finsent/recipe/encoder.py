"""Sections on the encoder: the text rules in its tokenizer, and what it starts from."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import tokenizers
from pydantic import AfterValidator, Field, field_validator

from finsent.recipe.section import HubId, Section

# What Oniguruma reads and JavaScript does not, or reads otherwise: tokenizer.json is for both.
_FOREIGN = re.compile(r"\(\?(?!:|=|!|<=|<!)|\[\[:|[+*?}]\+|\\[^\^$\\.*+?()\[\]{}|/\-dDwWsSbBnrtfvpPux]")


def check_pattern(pattern: str) -> str:
    """Return a regular expression that every runtime reads alike; ValueError for another."""
    if found := _FOREIGN.search(pattern):
        raise ValueError(
            f"{found[0]!r} in {pattern!r} is not read alike by tokenizers and by JavaScript; use what both "
            r"have: classes, groups (?:…), lookaround, \d \w \s \p{L}, no backslash before a plain character"
        )
    try:
        tokenizers.Regex(pattern)
    except Exception as error:  # tokenizers raises no narrower type
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if re.fullmatch(r"[\^$]*", pattern):
        raise ValueError(f"{pattern!r} matches no text; leave it out")
    return pattern


def _rule(default: Any = False, *, description: str) -> Any:  # noqa: ANN401  (as pydantic's Field)
    """Return a key that recipes from before it leave out of their fingerprint."""
    return Field(default, description=description, exclude_if=lambda value: not value)


class Text(Section):
    """Rules that are compiled into tokenizer.json; nothing else cleans text."""

    drop_links: bool = True
    strip_cashtags: bool = Field(True, description="$AAPL becomes AAPL")
    lowercase: bool = True
    max_characters: int = Field(500, ge=16, description="keeps every text below the position limit")
    drop_bare_links: bool = _rule(description="www.… and pic.twitter.com/… go as well")
    drop_mentions: bool = _rule(description="@name goes")
    strip_hashtags: bool = _rule(description="#word becomes word")
    decode_entities: bool = _rule(
        description="&amp; &lt; &gt; &quot; &#39; &nbsp; become what they stand for"
    )
    drop_tags: bool = _rule(description="tags of HTML, such as <br />, become a space")
    shorten_repeats: bool = _rule(
        description="a letter, ! ? or . more than twice in a row stands twice: soooo, soo"
    )
    drop_words: list[str] = _rule(
        [], description="words that go, whole and in any case where lowercase is true"
    )
    drop: list[Annotated[str, AfterValidator(check_pattern)]] = _rule(
        [], description="regular expressions; what they match becomes a space"
    )

    @field_validator("drop_words")
    @classmethod
    def _words_are_words(cls, words: list[str]) -> list[str]:
        if blank := [word for word in words if not word.strip()]:
            raise ValueError(f"got {blank[0]!r}; every entry names a word")
        return words


class Base(Section):
    """The encoder to start from: a Python package that carries it, a folder, or a Hub model."""

    hub: HubId = Field(
        description="origin, for the card; loaded from there when neither package nor path is given"
    )
    licence: str
    revision: str | None = None
    package: str | None = Field(None, description="importable package that holds the weights")
    folder: str = Field(".", description="folder inside the package")
    path: str | None = None
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="of the weights: model.safetensors, or pytorch_model.bin"
    )
    layers: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=1, description="layers to keep, in order"
    )
    vocabulary: int | None = Field(
        None, ge=500, description="pieces to keep, by frequency in the training rows"
    )
    characters: Literal["all", "latin"] = Field(
        "all",
        description="of the kept pieces; latin: letters of other scripts only if training rows have them",
    )
    positions: int | None = Field(
        None,
        ge=32,
        description="tokens that a text may have at most: fewer than the encoder has, or more",
    )
    intermediate_size: int | None = Field(
        None, ge=8, description="neurons of every feed-forward layer to keep: those that others replace least"
    )
    hidden_size: int | None = Field(
        None, ge=8, description="size to project hidden states to, along their principal components"
    )
