from __future__ import annotations

from pathlib import Path

import openpyxl
from xlsx_file import read_xlsx


def test_xlsx(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [["ticker", "news"], ["AB", "Profit rose"], ["CD", None], [3, "=1+1"]]:
        book.active.append(row)
    book.create_sheet("second")
    book.save(tmp_path / "a.xlsx")
    table = read_xlsx(tmp_path / "a.xlsx")
    assert table.columns == ["ticker", "news"]
    assert table.rows == [["AB", "Profit rose"], ["CD", None], [3, "=1+1"]]
    assert table.notes == ["2 sheets; the first one is read."]
