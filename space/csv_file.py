"""CSV, with any of the usual delimiters."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from grid import tabulate
from table import MOST_BYTES, Bounds, Table
from text_file import read_text

DELIMITERS = ",;\t|"
SAMPLE = 20_000  # characters


def read_csv(path: Path, header: bool | None = None) -> Table:
    """Read a CSV; `header` says whether its first row names the columns, None guesses.

    Raises UnreadableFile, while it is read, for more than Bounds allow.
    """

    def read(file: TextIO, notes: list[str]) -> Table:
        delimiter = guess_delimiter(file.read(SAMPLE))
        file.seek(0)
        return tabulate(_read_rows(file, delimiter), header, notes)

    return read_text(path, read)


def _read_rows(file: TextIO, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(MOST_BYTES)
    bounds, rows = Bounds(header_rows=1), list[list[str]]()
    for row in csv.reader(file, delimiter=delimiter):
        if not row:
            continue
        if not rows:
            bounds.set_columns(len(row))
        bounds.add_row(row)
        rows.append(row)
    return rows


def guess_delimiter(text: str) -> str:
    """Return the delimiter that splits the first rows into the most columns of equal number, else a comma."""
    head = text.splitlines()[:20]

    def columns(delimiter: str) -> int:
        widths = {len(row) for row in csv.reader(head[: max(1, len(head) - 1)], delimiter=delimiter) if row}
        return widths.pop() if len(widths) == 1 else 0

    best = max(DELIMITERS, key=columns)
    if columns(best) > 1:
        return best
    first = head[0] if head else ""
    return max(DELIMITERS, key=first.count)  # ragged rows: the header decides
