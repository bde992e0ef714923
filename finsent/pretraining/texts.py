"""The texts of a pretraining: read, freed of copies and of what is near to protected rows, some held out."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finsent.data.near_duplicates import connect, find_near_duplicates
from finsent.data.sources.fetch import Places, fetch_files
from finsent.data.sources.texts import Texts, read_texts
from finsent.encoder.find import PICKLED_WEIGHTS, find_weights
from finsent.errors import DataError
from finsent.pretraining.protection import Cleared, clear_texts, collect_rows, identify_rows, read_protected
from finsent.pretraining.report import ProtectionFigures, SourceFigures, TextFigures
from finsent.recipe.data import TextSource
from finsent.recipe.pretraining import Pretraining
from finsent.release import WEIGHTS, sha256
from finsent.text import comparable

COMPARED = 2_000  # characters at the beginning of a text by which its near copies are found


@dataclass(frozen=True)
class PretrainingTexts:
    """What is learnt, what the loss is measured on, the protected rows, and what was found on the way."""

    learnt: list[str]
    held_out: list[str]
    rows: list[str]
    figures: TextFigures
    protected_before: set[str] | None = None  # hashes of the encoder that it starts from, if finsent made it

    def digest(self) -> str:
        """Return the sha256 of what decides the texts beside the recipe: their files, and protected rows."""
        told = "".join([self.figures.fingerprint, *sorted(identify_rows(self.rows))])
        return hashlib.sha256(told.encode()).hexdigest()


def prepare_texts(recipe: Pretraining, mirror: Path | None) -> PretrainingTexts:
    """Read and filter the texts of a recipe. `mirror` stands before the Hub.

    Raises DataError: a source cannot be read, or too few texts are left.
    """
    data, places = recipe.data, Places(mirror, recipe.home)
    read = {source.name: read_texts(source, places, recipe.seed) for source in data.sources}
    every = [text for found in read.values() for text in found.texts]
    fresh = drop_copies(every)
    alone = drop_near_copies(fresh, data.near_duplicates)
    rows = collect_rows(data.protect, mirror) if data.protect else []
    cleared = clear_texts(alone, rows, data.near_duplicates, data.protect.words if data.protect else 0)
    learnt, held_out = hold_out([text for text in cleared.texts if text], data.held_out, recipe.seed)
    figures = TextFigures(
        sources={source.name: _tell_source(source, read[source.name]) for source in data.sources},
        copies=len(every) - len(fresh),
        near_copies=len(fresh) - len(alone),
        protection=_tell_protection(recipe, rows, cleared),
        emptied=cleared.texts.count(""),
        learnt=len(learnt),
        held_out=len(held_out),
        fingerprint=fingerprint_files(recipe, mirror),
    )
    before = read_protected(find_weights(recipe.base, recipe.home, mirror)) if recipe.base else None
    return PretrainingTexts(learnt, held_out, rows, figures, before)


def _tell_source(source: TextSource, found: Texts) -> SourceFigures:
    return SourceFigures(
        title=source.title,
        licence=source.licence,
        texts=len(found.texts),
        characters=sum(map(len, found.texts)),
        left_out=found.left_out,
        repeated_lines=found.repeated_lines,
    )


def _tell_protection(recipe: Pretraining, rows: list[str], cleared: Cleared) -> ProtectionFigures | None:
    if recipe.data.protect is None:
        return None
    return ProtectionFigures(
        recipes=[one.name for one in recipe.data.protect.recipes],
        rows=len(rows),
        sentences_taken_out=cleared.sentences_taken_out,
        texts_touched=cleared.texts_touched,
    )


def drop_copies(texts: list[str]) -> list[str]:
    """Return every text once, by its letters and digits; the first of its copies stays."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(comparable(text) or text, text)
    return list(first.values())


def drop_near_copies(texts: list[str], threshold: float) -> list[str]:
    """Return the texts without those that begin nearly as an earlier one does."""
    pairs = find_near_duplicates([comparable(text[:COMPARED]) for text in texts], threshold)
    _, first = np.unique(connect(pairs, len(texts)), return_index=True)
    return [texts[place] for place in sorted(first.tolist())]


def hold_out(texts: list[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Return the texts to learn, in an order drawn by `seed`, and those to measure the loss on."""
    count = max(1, round(share * len(texts)))
    if count >= len(texts):
        raise DataError(
            f"data: {len(texts)} texts are left, of which {count} would be held out; name more sources, or "
            "lower data.held_out"
        )
    mixed = random.Random(seed).sample(texts, len(texts))
    return mixed[count:], mixed[:count]


def fingerprint_files(recipe: Pretraining, mirror: Path | None) -> str:
    """Return the sha256 of all files of the sources and of the weights of the base.

    A split of a Hub data set counts by its name.
    """
    digest = hashlib.sha256()
    if recipe.base is not None:
        folder = find_weights(recipe.base, recipe.home, mirror)
        weights = next(folder / name for name in (WEIGHTS, PICKLED_WEIGHTS) if (folder / name).is_file())
        digest.update(f"{sha256(weights)}\n".encode())
    for source in recipe.data.sources:
        for line in _name_content(source, Places(mirror, recipe.home)):
            digest.update(f"{source.name} {line}\n".encode())
    return digest.hexdigest()


def _name_content(source: TextSource, places: Places) -> Iterator[str]:
    for name in source.files:
        for path in fetch_files(source, name, places):
            yield f"{path.name} {sha256(path)}"
    for split in source.splits:
        yield f"{source.hub} {source.revision} {source.config} {split}"
