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
from finsent.errors import DataError, RecipeError
from finsent.pretraining.report import read_report
from finsent.recipe.places import find_folders
from finsent.recipe.pretraining import LabelledRows, Protection
from finsent.recipe.recipe import Recipe
from finsent.release import PROTECTED, EncoderRun
from finsent.text import comparable

SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\s*\n\s*")
LEAST_WORDS = 4  # of a short row; fewer words are said by chance


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
    near = find_near_sentences(dict.fromkeys(one for text in cut for one in text), rows, threshold)
    quoted = Quotations(rows, words)
    kept = [
        [one for at, one in enumerate(text) if one not in near and at not in places]
        for text, places in ((text, quoted.find(text)) for text in cut)
    ]
    taken = [len(before) - len(after) for before, after in zip(cut, kept, strict=True)]
    joined = [" ".join(" ".join(text).split()) for text in kept]
    return Cleared(joined, sum(taken), sum(map(bool, taken)))


def find_near_sentences(sentences: dict[str, None], rows: Sequence[str], threshold: float) -> set[str]:
    """Return the sentences that are nearly a row."""
    if not rows:
        return set()
    named = list(sentences)
    return {named[place] for place in find_near(named, rows, threshold)}


class Quotations:
    """What consecutive words of rows are found in texts, wherever sentences and lines begin and end.

    A row with fewer than `words` words counts as a whole if it has `LEAST_WORDS`.
    """

    def __init__(self, rows: Sequence[str], words: int) -> None:
        self._runs = {run for row in rows for run in _runs(row, words)}
        self._starts = {run[:2] for run in self._runs}
        self._lengths = sorted({len(run) for run in self._runs})

    def find(self, sentences: Sequence[str]) -> set[int]:
        """Return the places of the sentences that a quotation touches."""
        told = [(word, at) for at, one in enumerate(sentences) for word in comparable(one).split()]
        words = tuple(word for word, _ in told)
        found: set[int] = set()
        for first in range(len(words)):
            if words[first : first + 2] in self._starts:
                for length in self._lengths:
                    if words[first : first + length] in self._runs:
                        found.update(at for _, at in told[first : first + length])
        return found


def _runs(row: str, words: int) -> Iterator[tuple[str, ...]]:
    found = tuple(comparable(row).split())
    if LEAST_WORDS <= len(found) < words:
        yield found
    for start in range(len(found) - words + 1):
        yield found[start : start + words]


def identify_row(text: str) -> str:
    """Return what stands for a row in a file that others may read: a hash of its letters and digits."""
    return hashlib.sha256((comparable(text) or text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def identify_rows(rows: Sequence[str]) -> set[str]:
    """Return what stands for rows."""
    return {identify_row(text) for text in rows}


def write_protected(rows: Sequence[str], folder: Path, before: set[str] | None = None) -> None:
    """Write the hashes of protected rows into an encoder's folder.

    `before` are those of the encoder that it started from: what that may have learnt is protected no more.
    """
    hashes = sorted(identify_rows(rows) if before is None else identify_rows(rows) & before)
    (folder / PROTECTED).write_text("".join(f"{one}\n" for one in hashes), encoding="utf-8")


def read_protected(folder: Path) -> set[str] | None:
    """Return the hashes of the rows that an encoder's folder protects; None if finsent did not make it."""
    file = folder / PROTECTED
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else None


def check_protected(recipe: Recipe, splits: Splits) -> None:
    """Refuse a recipe or a teacher whose encoder may know a validation or test row.

    Raises DataError, or RecipeError if such an encoder in `base.path` has another licence than is said.
    """
    held_out = [row.text for row in (*splits.validation, *splits.test)]
    for encoder in recipe.encoders:
        folder = EncoderRun(recipe.runs / encoder.name).encoder
        _check_rows(f"base.recipe: {encoder.name}", read_protected(folder) or set(), held_out, recipe.name)
    for one in (recipe, *recipe.built_teachers):
        if one.base.path is not None:
            _check_folder(one, one.base.path, held_out)


def _check_folder(recipe: Recipe, path: str, held_out: list[str]) -> None:
    folder = find_folders(path, recipe.home)[0]
    if (known := read_protected(folder)) is None:
        return
    _check_rows(f"base.path: {path}", known, held_out, recipe.name)
    licence = read_report(folder).licence
    if licence != recipe.base.licence:
        raise RecipeError(
            f"base.licence: got {recipe.base.licence!r}, but the encoder in {path} carries {licence!r}, as "
            "the texts do that it was pretrained on; write that"
        )


def _check_rows(encoder: str, known: set[str], held_out: list[str], name: str) -> None:
    if bare := [text for text in held_out if identify_row(text) not in known]:
        raise DataError(
            f"{encoder} was pretrained without protecting {len(bare):,} of {len(held_out):,} validation and "
            f"test rows of {name}, such as {bare[0][:80]!r}, so it may have learnt them; name the recipe "
            "under data.protect.recipes there, for folds with rows: all, and run pretrain.py again"
        )
