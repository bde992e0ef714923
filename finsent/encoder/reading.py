"""What a model sees of texts: their tokens, what is cut away, and the words that it does not know."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from finsent.cautions import ScriptWords, TextFigures
from finsent.encoder.find import find_base
from finsent.encoder.tokenizer_file import read_tokenizer
from finsent.recipe.recipe import Recipe
from finsent.release import TOKENIZER
from inference.classifier import replace_surrogates

CHUNK = 10_000  # texts encoded at a time, so that memory stays small
KINDS = {"N": "digits", "P": "punctuation", "S": "symbols and emoji"}


@dataclass(frozen=True)
class Reader:
    """A tokenizer with the recipe's text rules, those rules without the bound, and the bound."""

    tokenizer: Tokenizer
    unbound: Tokenizer
    unknown: str | None
    max_characters: int
    lowercase: bool

    def identify(self, texts: Sequence[str]) -> list[tuple[int | str, ...]]:
        """Return what the model sees of each text: its tokens, and the letters behind each unknown one."""
        return [
            tuple(
                self._letters(text, span) if token == self.unknown else number
                for number, token, span in zip(found.ids, found.tokens, found.offsets, strict=True)
            )
            for text, found in self._encode(texts)
        ]

    def measure(self, texts: Sequence[str]) -> TextFigures:
        """Return the figures of texts."""
        clean = self.unbound.normalizer.normalize_str
        lengths = [len(clean(replace_surrogates(text))) for text in texts]
        tokens, words, unknown = list[int](), Counter[str](), Counter[str]()
        for text, found in self._encode(texts):
            tokens.append(len(found.ids))
            for script, is_unknown in self._words(text, found):
                words[script] += 1
                unknown[script] += is_unknown
        return TextFigures(
            characters=lengths,
            tokens=tokens,
            cut=[length > self.max_characters for length in lengths],
            scripts={name: ScriptWords(count, unknown[name]) for name, count in words.most_common()},
        )

    def _encode(self, texts: Sequence[str]) -> Iterator[tuple[str, Encoding]]:
        for start in range(0, len(texts), CHUNK):
            sound = [replace_surrogates(text) for text in texts[start : start + CHUNK]]
            yield from zip(sound, self.tokenizer.encode_batch(sound), strict=True)

    def _letters(self, text: str, span: tuple[int, int]) -> str:
        letters = text[slice(*span)]
        return letters.lower() if self.lowercase else letters

    def _words(self, text: str, found: Encoding) -> Iterator[tuple[str, bool]]:
        """Yield the script of each word, by its first letter, and whether any of it is unknown."""
        known: dict[int, tuple[str, bool]] = {}
        for word, token, (start, end) in zip(found.word_ids, found.tokens, found.offsets, strict=True):
            if word is not None and start < end:
                script, before = known.get(word) or (name_script(text[start:end]), False)
                known[word] = script, before or token == self.unknown
        yield from known.values()


def read_base(recipe: Recipe, mirror: Path | None) -> Reader:
    """Return what reads texts as the recipe's base does, before its vocabulary is cut."""
    tree = read_tokenizer(find_base(recipe, mirror), recipe.text, recipe.base.hub).tree
    return _make_reader(tree, recipe)


def read_release(folder: Path, recipe: Recipe) -> Reader:
    """Return what reads texts as a release of the recipe does."""
    return _make_reader(json.loads((folder / TOKENIZER).read_text(encoding="utf-8")), recipe)


def _make_reader(tree: dict[str, Any], recipe: Recipe) -> Reader:
    steps = tree["normalizer"]["normalizers"]  # the last is the bound
    unbound = tree | {"normalizer": {"type": "Sequence", "normalizers": steps[:-1]}}
    return Reader(
        tokenizer=Tokenizer.from_str(json.dumps(tree)),
        unbound=Tokenizer.from_str(json.dumps(unbound)),
        unknown=_name_unknown(tree["model"]),
        max_characters=recipe.text.max_characters,
        lowercase=recipe.text.lowercase,
    )


def _name_unknown(model: dict[str, Any]) -> str | None:
    if model["type"] == "Unigram":
        return None if model.get("unk_id") is None else str(model["vocab"][model["unk_id"]][0])
    return model.get("unk_token")


def name_script(word: str) -> str:
    """Return the script of a word's first letter ("latin", "cyrillic"), or what its first character is."""
    first = word.strip()[:1]
    category = unicodedata.category(first)[0] if first else "P"
    if category in "LM":
        return unicodedata.name(first, "other").split(" ")[0].lower()
    return KINDS.get(category, "other")
