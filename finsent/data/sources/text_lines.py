"""Plain text: every line is a text."""

from __future__ import annotations

from collections.abc import Iterator

from finsent.data.sources.checks import Columns, Record
from finsent.data.sources.lines import read_lines
from finsent.data.sources.packed import PackedFile
from finsent.errors import DataError
from finsent.recipe.data import TableFormat


def read_text_lines(file: PackedFile, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the lines; a blank one is none. DataError if more than the text is wanted."""
    if len(columns.names) > 1:
        raise DataError(f"{file.name}: lines have no column {columns.names[1]!r}; leave `where` out")
    for number, line in enumerate(read_lines(file, written.encoding, written.mixed_encodings), 1):
        if not line.isspace():
            yield f"{file.name}, line {number}", (line.rstrip("\r\n"),)
