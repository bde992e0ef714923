from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

HEADER = ["text", "label"]


def write(folder: Path, *sheets: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
    book.save(folder / "rows.xlsx")


def rows(folder: Path, **changes: object) -> list[tuple[str, str]]:
    found = read(make_source(folder, **{"files": {"train": ["rows.xlsx"]}} | changes))
    return [(row.text, row.label) for row in found]


def test_a_sheet_is_read_with_blank_rows_and_empty_sheets_beside_it(tmp_path: Path) -> None:
    write(tmp_path, [[], HEADER, ["Up", 1], [None, None], ["Down_x000A_low", "0", None]], [])
    assert rows(tmp_path) == [("Up", "positive"), ("Down\nlow", "negative")]
    write(tmp_path, [["Up", 1.0]])
    assert rows(tmp_path, columns=HEADER) == [("Up", "positive")]


def test_a_sheet_is_named_where_there_are_several(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, ["Up", 1]], [HEADER, ["Down", 0]])
    with pytest.raises(DataError, match=r"rows.xlsx: has 2 sheets with rows \['Sheet1', 'Sheet2'\].*`sheet`"):
        rows(tmp_path)
    assert rows(tmp_path, sheet="Sheet2") == [("Down", "negative")]
    with pytest.raises(DataError, match=r"has no sheet 'Third'; it has \['Sheet1', 'Sheet2'\]"):
        rows(tmp_path, sheet="Third")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([100, 1], "row 4: 'text' is int '100', expected text"),
        ([datetime(2026, 1, 2), 1], "row 4: 'text' is datetime"),
        (["Up", datetime(2026, 1, 2)], "row 4: 'label' is datetime"),
        (["Up", 0.5], "row 4: 'label' is float '0.5'"),
        (["Up", None], "row 4: 'label' has no value"),
        ([None, 1], "row 4: 'text' has no value"),
        (["#N/A", 1], "row 4: A4 has the error #N/A"),
        (['="U"&"p"', 1], "row 4: 'text' has no value"),
        (["Up", 1, "more"], "row 4: got 3 cells, expected 2"),
        (["Up", 7], "row 4: unknown label '7'"),
    ],
)
def test_cells_that_are_no_labelled_text_are_refused(cells: list[Any], message: str, tmp_path: Path) -> None:
    write(tmp_path, [HEADER, ["Up", 1], [None], cells])
    with pytest.raises(DataError, match=f"^rows.xlsx, {message}"):
        rows(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0 an old .xls"])
def test_what_is_no_xlsx_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=r"^rows.xlsx: "):
        rows(tmp_path)


def test_a_column_that_is_there_twice_and_an_empty_book_are_named(tmp_path: Path) -> None:
    write(tmp_path, [["text", "label", "text"], ["Up", 1, "Down"]])
    with pytest.raises(DataError, match="has the column 'text' 2 times"):
        rows(tmp_path)
    write(tmp_path, [])
    with pytest.raises(DataError, match=r"rows.xlsx: has 0 sheets with rows"):
        rows(tmp_path)
