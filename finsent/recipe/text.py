"""Section on the text: the rules that clean it, compiled into the tokenizer."""

from __future__ import annotations

import re
from typing import Annotated, Any

import tokenizers
from pydantic import AfterValidator, Field, field_validator

from finsent.recipe.section import Section

# What Oniguruma reads and JavaScript does not, or reads otherwise: tokenizer.json is for both.
_FOREIGN = re.compile(r"\(\?(?!:|=|!|<=|<!)|\[\[:|[+*?}]\+|\\[^\^$\\.*+?()\[\]{}|/\-dDwWsSbBnrtfvpPux]")


def check_pattern(pattern: str) -> str:
    """Return a regular expression that every runtime reads alike; ValueError for another."""
    if found := _FOREIGN.search(pattern):
        raise ValueError(
            f"{found[0]!r} in {pattern!r} is read differently by tokenizers and by JavaScript; use what both "
            r"have: classes, groups (?:…), lookaround, \d \w \s \p{L}, no backslash before a plain character"
        )
    try:
        tokenizers.Regex(pattern)
    except Exception as error:  # tokenizers raises no narrower type
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if re.fullmatch(r"[\^$]*", pattern):
        raise ValueError(f"{pattern!r} matches no text; leave it out")
    return pattern


def _rule(default: Any = False, *, description: str) -> Any:  # noqa: ANN401  (as pydantic's Field)
    """Return a key that recipes from before it leave out of their fingerprint."""
    return Field(default, description=description, exclude_if=lambda value: not value)


class Text(Section):
    """Rules that are compiled into tokenizer.json; nothing else cleans text."""

    drop_links: bool = Field(True, description="http://… and https://… are removed")
    strip_cashtags: bool = Field(True, description="$AAPL becomes AAPL")
    lowercase: bool = Field(True, description="as the encoder was pretrained")
    max_characters: int = Field(500, ge=16, description="keeps every text below the position limit")
    drop_bare_links: bool = _rule(description="www.… and pic.twitter.com/… are removed, too")
    drop_mentions: bool = _rule(description="@name is removed")
    strip_hashtags: bool = _rule(description="#word becomes word")
    decode_entities: bool = _rule(description="&amp; &lt; &gt; &quot; &#39; &nbsp; are decoded")
    drop_tags: bool = _rule(description="HTML tags, such as <br />, become a space")
    shorten_repeats: bool = _rule(
        description="a letter, ! ? or . that is repeated more than twice is cut to two: soooo becomes soo"
    )
    drop_words: list[str] = _rule([], description="whole words to remove; in any case if lowercase is true")
    drop: list[Annotated[str, AfterValidator(check_pattern)]] = _rule(
        [], description="regular expressions; every match becomes a space"
    )

    @field_validator("drop_words")
    @classmethod
    def _words_are_words(cls, words: list[str]) -> list[str]:
        if blank := [word for word in words if not word.strip()]:
            raise ValueError(f"got {blank[0]!r}; every entry must be a word")
        return words
