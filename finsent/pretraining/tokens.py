"""Texts as tokens: the encoder's tokenizer, kept or trained, and what of its pieces the objectives need."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from finsent.encoder.find import find_weights
from finsent.encoder.tokenizer_file import TOKENIZER_FILES, read_tokenizer
from finsent.errors import BaseModelError
from finsent.pretraining.masking import Frame
from finsent.pretraining.packing import Ids, Tokens
from finsent.pretraining.vocabulary import SENTINELS, train_tokenizer, without_bound
from finsent.recipe.pretraining import Pretraining
from inference.classifier import replace_surrogates

CHUNK = 256  # texts encoded at a time, so that memory stays small
NEEDED = {"mlm": ("cls_token", "sep_token", "mask_token"), "span": ("eos_token",)}


def check_gaps(needed: int) -> None:
    """Raise BaseModelError if no tokenizer of a T5 has so many sentinels."""
    if needed > len(SENTINELS):
        raise BaseModelError(_tell_gaps(needed, len(SENTINELS)))


def _tell_gaps(needed: int, found: int) -> str:
    return (
        f"training: {needed} gaps in a sequence need as many sentinels (<extra_id_0> and so on), but the "
        f"tokenizer has {found}; lower training.length or training.noise, or raise training.mean_span"
    )


@dataclass(frozen=True)
class Reader:
    """A tokenizer with the recipe's text rules and without a bound; its special tokens by role."""

    tokenizer: Tokenizer
    special_tokens: dict[str, str]

    @property
    def size(self) -> int:
        """How many ids there are, special ones included."""
        return int(max(self.tokenizer.get_vocab().values())) + 1

    def id_of(self, role: str) -> int:
        """Return the id of a special token."""
        return int(self.tokenizer.token_to_id(self.special_tokens[role]))

    def special_ids(self) -> Ids:
        """Return the ids that no text may bring along, whatever is written in it."""
        return np.array(sorted(self.tokenizer.get_added_tokens_decoder()), np.int32)

    def frame(self) -> Frame:
        """Return what masking needs."""
        ordinary = np.setdiff1d(np.arange(self.size, dtype=np.int32), self.special_ids())
        return Frame(self.id_of("cls_token"), self.id_of("sep_token"), self.id_of("mask_token"), ordinary)

    def sentinels(self, needed: int) -> list[int]:
        """Return the ids of so many sentinels; BaseModelError where there are fewer."""
        check_gaps(needed)
        found = [self.tokenizer.token_to_id(name) for name in SENTINELS[:needed]]
        if None in found:
            raise BaseModelError(_tell_gaps(needed, found.index(None)))
        return found

    def read(self, texts: Sequence[str]) -> Iterator[Tokens]:
        """Yield the tokens of each text, without any around it."""
        special = self.special_ids()
        hidden = not sys.stderr.isatty()
        with tqdm(total=len(texts), unit="text", file=sys.stderr, disable=hidden, leave=False) as bar:
            for start in range(0, len(texts), CHUNK):
                chunk = [replace_surrogates(text) for text in texts[start : start + CHUNK]]
                for found in self.tokenizer.encode_batch(chunk, add_special_tokens=False):
                    ids = np.array(found.ids, np.int32)
                    words = np.array([-1 if word is None else word for word in found.word_ids], np.int64)
                    starts = np.diff(words, prepend=-2) != 0
                    kept = np.isin(ids, special, invert=True)
                    yield Tokens(ids[kept], starts[kept])
                bar.update(len(chunk))


def prepare_reader(recipe: Pretraining, texts: Sequence[str], mirror: Path | None, folder: Path) -> Reader:
    """Put the encoder's tokenizer into its folder, from the base or trained on the texts, and return it.

    Raises BaseModelError: the base cannot be had, or its tokenizer lacks what the objective needs.
    """
    source = folder
    if recipe.base is not None:
        source = find_weights(recipe.base, recipe.home, mirror)
        for name in TOKENIZER_FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)
    else:
        train_tokenizer(recipe, texts, folder)
    found = read_tokenizer(source, recipe.text, recipe.encoder_hub)
    if lost := [role for role in NEEDED[recipe.objective] if role not in found.special_tokens]:
        raise BaseModelError(
            f"objective: got {recipe.objective!r}, but {recipe.encoder_hub} has no {lost[0]}; mlm is for "
            "encoders like BERT, span for T5"
        )
    return Reader(without_bound(Tokenizer.from_str(json.dumps(found.tree))), found.special_tokens)
