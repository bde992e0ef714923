"""A table read whole for guessing, every cell as text, by the readers that training uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO

from openpyxl import load_workbook
from pyarrow.parquet import ParquetFile

from finsent.data.sources.checks import Columns
from finsent.data.sources.delimited import DELIMITERS
from finsent.data.sources.formats import CELLS, FORMATS, read_cells
from finsent.data.sources.packed import PackedFile, find_packed, reading
from finsent.data.tables.layout import HEAD, Layout, guess_layout
from finsent.data.tables.table import Table
from finsent.errors import DataError
from finsent.recipe.data import TableFormat


def read_tables(paths: list[Path], inside: Mapping[str, str] | None = None) -> tuple[Table, Layout]:
    """Read files that are one table; `inside` names the `member` of a zip or the `sheet` of a workbook.

    DataError: a file cannot be read, or lacks a column of the first.
    """
    inside = inside or {}
    first = find_packed(paths[0], inside.get("member"))
    layout = find_layout(first, inside.get("sheet"))
    layout = replace(layout, keys=layout.keys | dict(inside))
    written = TableFormat(**layout.keys)
    names = [name for name in layout.names if name and layout.names.count(name) == 1]
    if not names:
        raise DataError(f"{first.name}: no columns were found; expected a header, or objects with keys")
    wanted = Columns(names, label=names[0])  # a label, so that .txt is read as a table
    records = chain.from_iterable(read_cells(path, written, wanted) for path in paths)
    rows = [tuple(map(as_text, cells)) for _, cells in records]
    if not rows:
        raise DataError(f"{first.name}: has no rows")
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    return Table(first.name, columns), layout


def find_layout(file: PackedFile, sheet: str | None = None) -> Layout:
    """Return the columns of a file and how it is written; DataError if it is no table."""
    if file.format not in FORMATS:
        raise DataError(f"{file.name}: got {file.format!r}; allowed are {', '.join(FORMATS)}")
    with reading(file.name):
        if FORMATS[file.format] is CELLS:
            with file.open() as raw:
                head = raw.read(HEAD)
            return guess_layout(head, file.name, DELIMITERS.get(file.format, "\t"))
        with file.whole() as raw:
            if file.format == ".xlsx":
                return Layout(_sheet_names(raw, sheet))
            return Layout(_parquet_names(raw) if file.format == ".parquet" else _find_keys(raw))


def _parquet_names(raw: IO[bytes]) -> list[str]:
    return list(ParquetFile(raw).schema_arrow.names)


def _sheet_names(raw: IO[bytes], named: str | None) -> list[str]:
    """Return the cells of the first row that holds anything, of that sheet or the first that has one."""
    for sheet in load_workbook(raw, read_only=True, data_only=True).worksheets:
        for row in sheet.iter_rows(values_only=True) if named in (None, sheet.title) else ():
            if any(cell is not None for cell in row):
                return ["" if cell is None else str(cell) for cell in row]
    return []


def _find_keys(raw: IO[bytes]) -> list[str]:
    """Return the keys that all objects have; none where there is something else than objects."""
    text = raw.read().decode("utf-8-sig")
    try:
        records = json.loads(text) if text.lstrip().startswith("[") else map(json.loads, _lines(text))
        keys = [record.keys() for record in records]
    except (ValueError, AttributeError):  # the reader says where and what
        return []
    return [key for key in (keys[0] if keys else ()) if all(key in other for other in keys)]


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def as_text(cell: object) -> str:
    """Return a cell as a recipe writes labels: whole numbers without a fraction, truth as `true`."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
