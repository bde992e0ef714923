"""Reading a source into plain rows, each file by the reader of the source's kind.

Every error names the file, the row (counted from 1, header not counted) and the value that was found there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from finsent.data.rows import LeftOut, Row, SourceRows
from finsent.data.sources.entities import read_entities
from finsent.data.sources.fetch import fetch_file
from finsent.data.sources.phrasebank import read_phrasebank
from finsent.data.sources.table import read_labelled_table
from finsent.errors import DataError
from finsent.recipe.data import Source, SplitName

Reader = Callable[[Any, Path, SplitName], Iterator[Row | LeftOut]]  # of a source's section and one file

READERS: dict[str, Reader] = {
    "table": read_labelled_table,
    "phrasebank": read_phrasebank,
    "entities": read_entities,
}


def read_source(source: Source, mirror: Path | None) -> SourceRows:
    """Read every file of a source. `mirror` stands before the Hub; None means that there is none.

    Raises DataError: a file or column is missing, bytes do not decode, a text is empty or a label unknown.
    """
    found = list(_read_records(source, mirror))
    rows = [one for one in found if isinstance(one, Row)]
    if not rows:
        raise DataError(f"{source.name}: no row was read from {source.files}")
    return SourceRows(rows, dict(Counter(one.reason for one in found if isinstance(one, LeftOut))))


def _read_records(source: Source, mirror: Path | None) -> Iterator[Row | LeftOut]:
    for split, names in source.files.items():
        for name in names:
            yield from READERS[source.kind](source, fetch_file(source, name, mirror), split)
