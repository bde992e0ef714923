"""Sheets of an XLSX."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from finsent.data.sources.checks import Columns, Record, pick_cells
from finsent.data.sources.packed import PackedFile, reading
from finsent.errors import DataError
from finsent.recipe.data import TableFormat


def read_xlsx(file: PackedFile, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the records by the row of the sheet; a formula counts as what it gave when the file was saved.

    Raises DataError: the sheet is not clear, a cell stands outside the header's columns or holds an error.
    """
    with reading(file.name), warnings.catch_warnings(), file.whole() as raw:
        warnings.simplefilter("ignore")  # of openpyxl, on styles and checks that it does not keep
        rows = _number_rows(file.name, _find_sheet(file.name, _load(file.name, raw), written.sheet))
        header = written.columns or [_name(file.name, cell) for cell in next(rows, (0, []))[1]]
        if not header:
            raise DataError(f"{file.name}: the sheet is empty; expected a header, or `columns` in the source")
        pick = pick_cells(file.name, header, columns.names)
        for number, cells in rows:
            where = f"{file.name}, row {number}"
            if len(cells) > len(header):
                raise DataError(f"{where}: got {len(cells)} cells, expected {len(header)} {header[:8]}")
            yield where, pick([*cells, *[None] * (len(header) - len(cells))])


def _load(name: str, raw: Any) -> Any:  # noqa: ANN401  (openpyxl has no types)
    try:
        return openpyxl.load_workbook(raw, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, ParseError) as error:
        raise DataError(f"{name}: is not a readable XLSX file ({str(error)[:100]})") from None


def _find_sheet(name: str, book: Any, sheet: str | None) -> Any:  # noqa: ANN401  (as above)
    if sheet is not None:
        if sheet not in book.sheetnames:
            raise DataError(f"{name}: has no sheet {sheet!r}; it has {book.sheetnames}")
        return book[sheet]
    filled = [one for one in book.worksheets if next(_number_rows(name, one), None)]
    if len(filled) != 1:
        told = [one.title for one in filled]
        raise DataError(
            f"{name}: has {len(filled)} sheets with rows {told}; choose one with the source's key `sheet`"
        )
    return filled[0]


def _number_rows(name: str, sheet: Any) -> Iterator[tuple[int, list[Any]]]:  # noqa: ANN401  (as above)
    """Yield the rows that hold anything, without the empty cells at their end."""
    sheet.reset_dimensions()  # what a file says of its size may be wrong
    for number, cells in enumerate(sheet.iter_rows(), 1):
        values = [_value(f"{name}, row {number}", cell) for cell in cells]
        while values and values[-1] is None:
            values.pop()
        if values:
            yield number, values


def _value(where: str, cell: Any) -> Any:  # noqa: ANN401  (as above)
    if cell.data_type == "e":
        raise DataError(f"{where}: {cell.coordinate} has the error {cell.value}; fix it in the sheet")
    return unescape(cell.value) if isinstance(cell.value, str) and "_x" in cell.value else cell.value


def _name(name: str, value: object) -> str:
    return "" if value is None else str(value)
