"""Text rules as a `tokenizers` normalizer, so that every runtime cleans alike and nothing else has to.

The regular expressions stay in the dialect that Oniguruma (Rust) and JavaScript share.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers

from finsent.recipe.text import Text
from finsent.text import CASHTAG, LINK

BARE_LINK = r"(?<![\p{L}\p{N}@./])(?:www\.|pic\.twitter\.com/)\S+"
MENTION = r"(?<![A-Za-z0-9_])@[A-Za-z0-9_]+"
HASHTAG = r"#(?=[\p{L}\p{N}])"
TAG = r"</?[A-Za-z][^<>]*>"
ENTITIES = {  # in the order in which they are read, so that "&amp;lt;" becomes "&lt;"
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&(?:#0?39|#x27|apos);": "'",
    "&nbsp;": " ",
    "&amp;": "&",
}

BOUND = r"(?<=^[\s\S]{"  # how the last step begins
WORD = r"(?<![\p{L}\p{N}])(?:"  # and the one that drops words


def _escape(text: str) -> str:
    """Return a regular expression for just this text; JavaScript allows no backslash that is not needed."""
    return "".join(f"\\{letter}" if letter in "^$\\.*+?()[]{}|/" else letter for letter in text)


# A letter four times over says no more than twice.
REPEATS = "|".join(f"(?<={2 * one}){one}+" for one in map(_escape, "abcdefghijklmnopqrstuvwxyz!?."))


def build_normalizer(
    text: Text, own: normalizers.Normalizer | None = None, *, is_wordpiece: bool = True
) -> normalizers.Normalizer:
    """Return the normalizer sequence of a recipe. `own`: what the encoder's tokenizer does itself, if any.

    The bound on characters comes last: the encoder's own step decomposes (a Hangul syllable becomes three
    letters), so a cut before it would not bound the tokens.
    """
    if is_wordpiece:
        own = normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=text.lowercase, lowercase=text.lowercase
        )
    bound = normalizers.Replace(Regex(rf"{BOUND}{text.max_characters}}})[\s\S]+"), "")
    return normalizers.Sequence(
        [*_cleaning(text), *([own] if own is not None else []), *_word_rules(text, own), bound]
    )


def _cleaning(text: Text) -> list[normalizers.Normalizer]:
    """Return the rules on the text as it was written, in the order in which they run."""
    rules = [(entity, letter) for entity, letter in ENTITIES.items() if text.decode_entities]
    for wanted, pattern, content in (
        (text.drop_tags, TAG, " "),
        (text.drop_links, LINK, ""),
        (text.drop_bare_links, BARE_LINK, ""),
        (text.drop_mentions, MENTION, ""),
        (text.strip_hashtags, HASHTAG, ""),
        (text.strip_cashtags, CASHTAG, ""),
    ):
        if wanted:
            rules.append((pattern, content))
    rules += [(pattern, " ") for pattern in text.drop]
    return [normalizers.Replace(Regex(pattern), content) for pattern, content in rules]


def _word_rules(text: Text, own: normalizers.Normalizer | None) -> list[normalizers.Normalizer]:
    """Return the rules on the text as the encoder's own normalizer leaves it."""
    rules = []
    if text.shorten_repeats:
        rules.append(REPEATS)
    if text.drop_words:
        words = (own.normalize_str(word) if own is not None else word for word in text.drop_words)
        told = "|".join(_escape(word.strip()) for word in words)
        rules.append(rf"{WORD}{told})(?![\p{{L}}\p{{N}}])")
    return [normalizers.Replace(Regex(rule), "") for rule in rules]


def find_own_normalizer(tokenizer: Tokenizer) -> normalizers.Normalizer | None:
    """Return what a tokenizer does itself; of a release of ours, what its encoder did before the rules.

    Rules of ours that stand before it are taken to end at the first step that is not a regular expression.
    """
    tree = json.loads(tokenizer.to_str())
    steps = (tree["normalizer"] or {}).get("normalizers", [])
    if not steps or not _pattern(steps[-1]).startswith(BOUND):
        return tokenizer.normalizer
    steps = list(itertools.dropwhile(_pattern, steps[:-1]))
    while steps and (_pattern(steps[-1]) == REPEATS or _pattern(steps[-1]).startswith(WORD)):
        steps.pop()
    if not steps:
        return None
    own = tree | {"normalizer": {"type": "Sequence", "normalizers": steps}}
    return Tokenizer.from_str(json.dumps(own)).normalizer


def _pattern(step: dict[str, Any]) -> str:
    """Return the regular expression of a step of a normalizer; nothing where it has none."""
    return str(step.get("pattern", {}).get("Regex", ""))
