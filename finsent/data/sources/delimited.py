"""Tables whose cells stand between delimiters: CSV, TSV and their like."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from finsent.data.sources.checks import Columns, Record, pick_cells
from finsent.data.sources.lines import read_lines
from finsent.data.sources.packed import PackedFile
from finsent.errors import DataError
from finsent.recipe.data import TableFormat

LONGEST_CELL = 10_000_000  # characters; an open quote would otherwise swallow the rest of a file
DELIMITERS = {".csv": ","}  # a tab in any other
QUOTING: dict[str, dict[str, Any]] = {
    "doubled": {},
    "backslash": {"doublequote": False, "escapechar": "\\"},
    "none": {"quoting": csv.QUOTE_NONE},
}


def read_delimited(file: PackedFile, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the records by the line that each begins on; a blank line is none.

    Raises DataError: a record has more or fewer cells than the header, or a quote is not closed.
    """
    csv.field_size_limit(LONGEST_CELL)
    name = file.name
    delimiter = written.delimiter or DELIMITERS.get(file.format, "\t")
    lines = read_lines(file, written.encoding, written.mixed_encodings)
    rows = _number_rows(name, csv.reader(lines, delimiter=delimiter, strict=True, **QUOTING[written.quoting]))
    header = written.columns or next(rows, (0, 0, []))[2]
    if not header:
        raise DataError(f"{name}: is empty; expected a header, or `columns` in the source")
    pick = pick_cells(name, header, columns.names)
    rule = _Swallowed(header, columns, delimiter)
    for first, last, cells in rows:
        if len(cells) != len(header):
            raise DataError(_tell_width(f"{name}, line {first}", cells, header, delimiter))
        if last > first and rule.applies_to(cells):
            raise DataError(
                f"{name}, lines {first} to {last}: one quoted cell contains what looks like whole rows; "
                f"{_tell_quotes(written)}. If the cell is correct, remove its line breaks"
            )
        yield f"{name}, line {first}", pick(cells)


def _number_rows(name: str, reader: Any) -> Iterator[tuple[int, int, list[str]]]:  # noqa: ANN401  (no public type)
    """Yield the first and the last line of every row with its cells."""
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{name}, line {first}: {_tell_broken(str(error))}") from None
        if cells:
            yield first, reader.line_num, cells


def _tell_broken(error: str) -> str:
    if "field larger" in error or "unexpected end" in error:
        error = "a quote that starts here is never closed"
    elif "expected after" in error:
        error = "a quoted cell continues after its closing quote"
    return (
        f"{error}; close or double the quote, or write `quoting: none` into the source where quotes are "
        'letters (`backslash` where they are written as \\")'
    )


def _tell_width(where: str, cells: list[str], header: list[str], delimiter: str) -> str:
    got = f"{where}: got {len(cells)} cells, expected {len(header)} {header[:8]}"
    if len(cells) > len(header):
        return f"{got}; put cells that contain {delimiter!r} in quotes"
    return f"{got}; add the missing cells, or write another `delimiter` than {delimiter!r} into the source"


def _tell_quotes(written: TableFormat) -> str:
    other = "doubled" if written.quoting == "backslash" else "backslash"
    return f"close its quote, or write `quoting: none` (or {other}) into the source"


class _Swallowed:
    """Finds rows inside a quoted cell: a quote that was left open ends at the next one, many rows on."""

    def __init__(self, header: list[str], columns: Columns, delimiter: str) -> None:
        self._labels = columns.labels
        self._at = header.index(columns.label) if columns.label else 0
        self._width, self._delimiter = len(header), delimiter

    def applies_to(self, cells: list[str]) -> bool:
        """Tell whether a line of any cell begins, ends or is cut like a row with a known label."""
        if not self._labels or self._width == 1:
            return False
        return any(self._is_row(line) for cell in cells if "\n" in cell for line in cell.splitlines())

    def _is_row(self, line: str) -> bool:
        parts = line.split(self._delimiter)
        if len(parts) < 2 or parts[1].startswith(" "):  # a sentence goes on with a space
            return False
        known = {0: parts[0], self._width - 1: parts[-1]}.get(self._at)
        if known is None and len(parts) == self._width:
            known = parts[self._at]
        return known in self._labels
