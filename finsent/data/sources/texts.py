"""Texts without labels: read, filtered by what they are made of, and freed of lines that stand everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from unicodedata import category

import sentencex

from finsent.data.rows import LeftOutCount
from finsent.data.sources.checks import Columns, Record, check_text
from finsent.data.sources.fetch import Places, fetch_files
from finsent.data.sources.formats import read_cells
from finsent.data.sources.hub_dataset import read_hub_split
from finsent.data.sources.progress import count_aloud
from finsent.data.sources.sample import draw_sample
from finsent.data.sources.table import find_other, known_values
from finsent.errors import DataError
from finsent.recipe.data import TextSource


@dataclass(frozen=True)
class Texts:
    """The texts of one source in file order; how many were left out, by reason, with some examples.

    `repeated_lines` are different lines that were taken out of them.
    """

    texts: list[str]
    left_out: dict[str, int]
    examples: dict[str, list[str]] = field(default_factory=dict)
    repeated_lines: int = 0


def read_texts(source: TextSource, places: Places, seed: int) -> Texts:
    """Read the texts of a source; `seed` draws those that `take` asks for.

    Raises DataError: a file is missing or broken, a cell is not text, or no text is left.
    """
    left = LeftOutCount()
    found = list(_read(source, places, left))
    repeated = find_repeated_lines(found, source.max_repeats)
    if repeated:
        found = list(_without(found, repeated, left))
    if source.sentences is not None:
        found = [sentence for text in found for sentence in cut_sentences(text, source.sentences)]
    kept = []
    for text in found:
        if reason := find_unfit(source, text):
            left.add(reason, text)
        else:
            kept.append(text)
    if not kept:
        raise DataError(f"{source.name}: none of {len(found)} texts is left; left out: {left.counts}")
    if source.take is not None:
        taken = [kept[at] for at in draw_sample([0] * len(kept), source.take, seed)]
        left.add_many(f"not among the {source.take} drawn rows", len(kept) - len(taken))
        kept = taken
    return Texts(kept, left.counts, left.examples, len(repeated))


def _read(source: TextSource, places: Places, left: LeftOutCount) -> Iterator[str]:
    columns = Columns(list(dict.fromkeys([source.text, *source.where])), None, known_values(source))
    at = {name: index for index, name in enumerate(columns.names)}
    for where, cells in count_aloud(source.name, _records(source, places, columns)):
        if reason := find_other(source, where, cells, at):
            left.add(reason, str(cells[0]))
        elif isinstance(cells[0], str) and not cells[0].strip():
            left.add("empty", "")
        else:
            yield check_text(where, cells[0], source.text)


def _records(source: TextSource, places: Places, columns: Columns) -> Iterator[Record]:
    for split in source.splits:
        yield from read_hub_split(source, split, places, columns)
    for name in source.files:
        for path in fetch_files(source, name, places):
            yield from read_cells(path, source, columns)


def find_unfit(source: TextSource, text: str) -> str:
    """Return by which filter of a source a text is left out, nothing where it stays."""
    if len(text) < source.min_characters:
        return "shorter than min_characters"
    if source.max_characters is not None and len(text) > source.max_characters:
        return "longer than max_characters"
    if source.min_letters and letter_share(text) < source.min_letters:
        return "fewer letters and digits than min_letters"
    if source.max_digits < 1 and digit_share(text) > source.max_digits:
        return "more digits than max_digits"
    return ""


def letter_share(text: str) -> float:
    """Return the share of letters and digits among the characters that are no space, 0..1.

    Marks count as the letters that they belong to: Hindi has as many of these as English.
    """
    written = "".join(text.split())
    return sum(category(sign)[0] in "LMN" for sign in written) / len(written) if written else 0.0


def digit_share(text: str) -> float:
    """Return the share of digits among the characters that are no space, 0..1."""
    written = "".join(text.split())
    return sum(map(str.isdigit, written)) / len(written) if written else 0.0


def cut_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of a text, without the space around them; the end of a line ends one too."""
    pieces = (part for line in text.splitlines() for part in sentencex.segment(language, line))
    return [sentence for piece in pieces if (sentence := piece.strip())]


def find_repeated_lines(texts: list[str], most: int | None) -> set[str]:
    """Return the lines that stand in more than `most` of the texts; none where that is None."""
    if most is None:
        return set()
    counts = Counter(line for text in texts for line in {part.strip() for part in text.splitlines()})
    return {line for line, count in counts.items() if line and count > most}


def _without(texts: list[str], repeated: set[str], left: LeftOutCount) -> Iterator[str]:
    """Yield the texts without those lines, and without those that are nothing else."""
    for text in texts:
        lines = text.splitlines()
        kept = [line for line in lines if line.strip() not in repeated]
        if len(kept) == len(lines):
            yield text
        elif rest := "\n".join(kept).strip():
            yield rest
        else:
            left.add("only repeated lines", text)
