"""Rows that figures will be made of: no text that is pretrained on may be near to one.

An article may quote a row in one sentence, so sentences are compared, not articles, and a sentence that is
near goes out of its text. It is near where the splits would tie the two (`finsent.data.near_duplicates`), or
where it has a number of words in a row from the row, wherever that begins and ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.data.splits import Splits, load_splits
from finsent.data.unseen import find_near
from finsent.errors import DataError
from finsent.recipe.pretraining import LabelledRows, Pretraining, Protection
from finsent.recipe.recipe import Recipe
from finsent.release import PROTECTED, EncoderRun
from finsent.text import comparable

SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\s*\n\s*")


@dataclass(frozen=True)
class Cleared:
    """Texts with every space a single one, without the sentences that are near to rows.

    A text that has none left is empty here.
    """

    texts: list[str]
    sentences_taken_out: int
    texts_touched: int


def collect_rows(protect: Protection, mirror: Path | None) -> list[str]:
    """Return the texts of the rows that are protected, each once. Raises DataError."""
    every = (text for rows in protect.recipes for text in _read_rows(rows, protect.rows, mirror))
    return list(dict.fromkeys(every))


def _read_rows(rows: LabelledRows, which: str, mirror: Path | None) -> list[str]:
    """Return what is read of a recipe's sources, for `held_out` without what is surely a training row."""
    places = Places(mirror, rows.home)
    every = [row.text for source in rows.data.sources for row in read_source(source, places, rows.seed).rows]
    if which == "all":
        return every
    learnt = {comparable(row.text) for row in load_splits(rows, mirror).train}
    return [text for text in every if comparable(text) not in learnt]


def clear_texts(texts: Sequence[str], rows: Sequence[str], threshold: float, words: int) -> Cleared:
    """Take the sentences out of texts that are near to a row; without rows only spaces change."""
    cut = [[one for one in SENTENCE_END.split(text) if one.strip()] for text in texts]
    near = find_near_sentences(dict.fromkeys(one for text in cut for one in text), rows, threshold, words)
    kept = [[one for one in text if one not in near] for text in cut]
    taken = [len(before) - len(after) for before, after in zip(cut, kept, strict=True)]
    joined = [" ".join(" ".join(text).split()) for text in kept]
    return Cleared(joined, sum(taken), sum(map(bool, taken)))


def find_near_sentences(
    sentences: dict[str, None], rows: Sequence[str], threshold: float, words: int
) -> set[str]:
    """Return the sentences that are nearly a row, or share so many words in a row with one."""
    if not rows:
        return set()
    named = list(sentences)
    near = {named[place] for place in find_near(named, rows, threshold)}
    known = {run for row in rows for run in _runs(row, words)}
    return near | {one for one in named if any(run in known for run in _runs(one, words))}


def _runs(text: str, words: int) -> Iterator[str]:
    found = comparable(text).split()
    return (" ".join(found[start : start + words]) for start in range(len(found) - words + 1))


def identify_row(text: str) -> str:
    """Return what stands for a row in a file that others may read: a hash of its letters and digits."""
    return hashlib.sha256((comparable(text) or text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_protected(rows: Sequence[str], folder: Path) -> None:
    """Write the hashes of protected rows into an encoder's folder."""
    hashes = sorted({identify_row(text) for text in rows})
    (folder / PROTECTED).write_text("".join(f"{one}\n" for one in hashes), encoding="utf-8")


def check_protected(recipe: Recipe, splits: Splits) -> None:
    """Raise DataError where an encoder of the recipe or its teachers may know a validation or test row."""
    held_out = [row.text for row in (*splits.validation, *splits.test)]
    for encoder in recipe.encoders:
        _check_rows(recipe, encoder, held_out)


def _check_rows(recipe: Recipe, encoder: Pretraining, held_out: list[str]) -> None:
    folder = EncoderRun(recipe.runs / encoder.name).encoder
    known = set((folder / PROTECTED).read_text(encoding="utf-8").split())
    if bare := [text for text in held_out if identify_row(text) not in known]:
        raise DataError(
            f"base.recipe: {encoder.name} was pretrained without protecting {len(bare):,} of "
            f"{len(held_out):,} validation and test rows of {recipe.name}, such as {bare[0][:80]!r}, so it "
            "may have learnt them; name the recipe under data.protect.recipes there, for folds with rows: all"
        )
