"""Tables as CSV for spreadsheets, which run what looks like a formula."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what spreadsheets take for the start of a formula, wide forms too


def neutralise(cell: Any) -> Any:  # noqa: ANN401  (whatever a table holds)
    """Put an apostrophe before text that a spreadsheet would run as a formula; plain numbers stay.

    See the OWASP page "CSV Injection".
    """
    if not isinstance(cell, str) or not cell.lstrip(" ").startswith(FORMULA):
        return cell
    return cell if _is_number(cell) else "'" + cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as CSV for spreadsheets: UTF-8 with a mark, no cell that starts a formula."""
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow([neutralise(name) for name in table.column_names])
        for batch in table.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                writer.writerow([_rounded(neutralise(cell)) for cell in row])


def _rounded(cell: Any) -> Any:  # noqa: ANN401
    return round(cell, 6) if isinstance(cell, float) else cell
