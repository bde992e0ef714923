"""Reading a source into plain rows, each file by the reader of the source's kind.

Every error names the file, the line or row as a person counts it there, and the value that was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from finsent.data.rows import LeftOut, LeftOutCount, Row, SourceRows
from finsent.data.sources.entities import read_entities
from finsent.data.sources.fetch import Places, fetch_files
from finsent.data.sources.hub_dataset import read_hub_split
from finsent.data.sources.phrasebank import read_phrasebank
from finsent.data.sources.progress import count_aloud
from finsent.data.sources.sample import draw_sample
from finsent.data.sources.table import label_records, read_labelled_table, wanted_columns
from finsent.errors import DataError
from finsent.recipe.data import Source, SplitName, TableSource

Reader = Callable[[Any, Path, SplitName], Iterator[Row | LeftOut]]  # of a source's section and one file

READERS: dict[str, Reader] = {
    "table": read_labelled_table,
    "phrasebank": read_phrasebank,
    "entities": read_entities,
}


def read_source(source: Source, places: Places, seed: int = 0) -> SourceRows:
    """Read every file of a source; `seed` draws the rows that `take` asks for.

    Raises DataError: a file or column is missing, bytes do not decode, a text is empty or a label unknown.
    """
    rows, left = list[Row](), LeftOutCount()
    for one in count_aloud(source.name, _read_records(source, places)):
        if isinstance(one, Row):
            rows.append(one)
        else:
            left.add(one.reason, one.text)
    if not rows:
        raise DataError(
            f"{source.name}: no rows were read for {sorted(source.own_splits)}; left out: {left.counts}"
        )
    if isinstance(source, TableSource) and source.take is not None:
        rows = _take(rows, source.take, seed, left)
    return SourceRows(rows, left.counts, left.examples)


def _read_records(source: Source, places: Places) -> Iterator[Row | LeftOut]:
    for split, names in source.files.items():
        for name in names:
            for path in fetch_files(source, name, places):
                yield from READERS[source.kind](source, path, split)
    if isinstance(source, TableSource):
        for split, theirs in source.splits.items():
            yield from label_records(
                source, read_hub_split(source, theirs, places, wanted_columns(source)), split
            )


def _take(rows: list[Row], count: int, seed: int, left: LeftOutCount) -> list[Row]:
    taken = draw_sample([(row.split, row.label) for row in rows], count, seed)
    left.add_many(f"not among the {count} drawn rows", len(rows) - len(taken))
    return [rows[at] for at in taken]
