"""XLSX: the first sheet of a workbook."""

from __future__ import annotations

import zipfile
from itertools import zip_longest
from pathlib import Path
from typing import Any

from grid import tabulate
from table import Bounds, Table, check_unpacked, plain


def read_xlsx(path: Path, header: bool | None = None) -> Table:
    """Read the first sheet; `header` says whether its first row names the columns, None guesses.

    Raises UnreadableFile, while it is read, for more than Bounds allow, and whatever openpyxl and its parsers
    raise for a broken file.
    """
    with zipfile.ZipFile(path) as packed:
        check_unpacked(sum(entry.file_size for entry in packed.infolist()))
    rows, sheets = _read_sheet(path, values=False)
    if any(isinstance(cell, str) and cell.startswith("=") for row in rows for cell in row):
        rows = _values_of(rows, _read_sheet(path, values=True)[0])
    notes = [f"{sheets} sheets; the first one is read."] if sheets > 1 else []
    return tabulate([row for row in rows if any(cell is not None for cell in row)], header, notes)


def _read_sheet(path: Path, values: bool) -> tuple[list[list[Any]], int]:
    """Return the rows of the first sheet and how many sheets there are; formulas, or the values they had."""
    import openpyxl  # slow to import, and needed for no other format

    book = openpyxl.load_workbook(path, read_only=True, data_only=values)
    try:
        sheet = book[book.sheetnames[0]]
        sheet.reset_dimensions()  # a file may say that it is larger than it is, and smaller
        return _read_rows(sheet), len(book.sheetnames)
    finally:
        book.close()


def _read_rows(sheet: Any) -> list[list[Any]]:  # noqa: ANN401  (openpyxl has no types)
    bounds, rows, width = Bounds(header_rows=1), list[list[Any]](), 0
    for cells in sheet.iter_rows(values_only=True):
        row = [plain(cell) for cell in cells[: _width(cells)]]
        width = max(width, len(row))
        bounds.set_columns(width)
        bounds.add_row(row, len(cells))
        rows.append(row)
    return [row + [None] * (width - len(row)) for row in rows]


def _width(cells: tuple[Any, ...]) -> int:
    """Return how many cells there are up to the last one that holds something."""
    return next((index for index in range(len(cells), 0, -1) if cells[index - 1] is not None), 0)


def _values_of(formulas: list[list[Any]], values: list[list[Any]]) -> list[list[Any]]:
    """Return the values, and the formula itself where the program that wrote the file kept no value."""
    return [
        [formula if value is None else value for formula, value in zip_longest(row, known[: len(row)])]
        for row, known in zip(formulas, values, strict=True)
    ]
