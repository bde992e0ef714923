"""The table of file formats: what reads each, and which keys of a source say how it is written.

A new format is a reader in a file of its own and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from finsent.data.sources.arrow_columns import read_parquet
from finsent.data.sources.checks import Columns, Record
from finsent.data.sources.delimited import read_delimited
from finsent.data.sources.json_objects import read_json
from finsent.data.sources.packed import PACKED, find_packed
from finsent.data.sources.spreadsheet import read_xlsx
from finsent.data.sources.text_lines import read_text_lines
from finsent.errors import DataError
from finsent.recipe.data import TableFormat

Read = Callable[..., Iterator[Record]]  # of a PackedFile, a TableFormat and Columns


@dataclass(frozen=True)
class Format:
    """A reader, and the keys of a source that it heeds."""

    read: Read
    keys: frozenset[str]


CELLS = Format(read_delimited, frozenset({"columns", "encoding", "mixed_encodings", "delimiter", "quoting"}))
LINES = Format(read_text_lines, frozenset({"encoding", "mixed_encodings"}))
JSON = Format(read_json, frozenset({"encoding", "mixed_encodings"}))
FORMATS = {
    ".csv": CELLS,
    ".tsv": CELLS,
    ".txt": CELLS,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".parquet": Format(read_parquet, frozenset()),
    ".xlsx": Format(read_xlsx, frozenset({"columns", "sheet"})),
}


def is_table(name: str) -> bool:
    """Return whether a file is a table by its name, packed or not."""
    path = PurePosixPath(name.lower())
    return (PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix) in FORMATS


def read_cells(path: Path, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the wanted cells of every record of a file, with where it is.

    Raises DataError: the format is not known, a key does not belong to it, or the file is broken.
    """
    file = find_packed(path, written.member)
    if file.format not in FORMATS:
        raise DataError(
            f"{file.name}: got {file.format!r}; allowed are {', '.join(FORMATS)}, each also as .gz, .zst or "
            "in a .zip"
        )
    is_lines = file.format == ".txt" and columns.label is None and not written.delimiter
    found = LINES if is_lines else FORMATS[file.format]
    if other := sorted(written.given() - found.keys - {"member"}):
        raise DataError(
            f"{file.name}: the source's key `{other[0]}` does not apply to {file.format}; leave it out"
        )
    return found.read(file, written, columns)
