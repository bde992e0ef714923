"""The texts without labels that a recipe names, and what a person should see of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from finsent.data.sources.fetch import Places
from finsent.data.sources.texts import Texts, read_texts
from finsent.recipe.recipe import Recipe


@dataclass(frozen=True)
class TextsReport:
    """Of one source: texts that stay and their characters, and how many were left out, with examples.

    `repeated_lines` are different lines that were taken out of the texts as boilerplate.
    """

    texts: int
    characters: int
    repeated_lines: int
    left_out: dict[str, int]
    examples: dict[str, list[str]]


def load_unlabelled(recipe: Recipe, mirror: Path | None) -> Iterator[tuple[str, Texts]]:
    """Yield each source's name with its texts, filtered as it says, one source in memory at a time.

    Copies stay, and so do texts near to rows of the splits. Raises DataError: a source cannot be read, or
    none of its texts is left.
    """
    places = Places(mirror, recipe.home)
    for source in recipe.data.unlabelled:
        yield source.name, read_texts(source, places, recipe.seed)


def report_texts(found: Texts) -> TextsReport:
    """Return what is worth knowing of the texts of one source."""
    return TextsReport(
        texts=len(found.texts),
        characters=sum(map(len, found.texts)),
        repeated_lines=found.repeated_lines,
        left_out=found.left_out,
        examples=found.examples,
    )
