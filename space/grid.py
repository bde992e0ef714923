"""From rows as they are in a CSV or a sheet to a table: the header, and rows that do not fit."""

from __future__ import annotations

import json
from typing import Any

from table import Table, check_rows, distinct, looks_like_names

MOST_LINES = 20  # in one cell
UNREAD = "unread"  # the column for what did not fit into the others


def tabulate(rows: list[list[Any]], header: bool | None, notes: list[str]) -> Table:
    """Return rows as a table of the width of the first; what does not fit goes to the column UNREAD.

    `header` says whether the first row names the columns; None guesses. UnreadableFile over MOST_ROWS.
    """
    if not rows:
        return Table([], [], notes=notes)
    named = looks_like_names(rows[0]) if header is None else header
    width = len(rows[0])
    names = [str(cell or "").strip() for cell in rows[0]] if named else [""] * width
    body = rows[1:] if named else rows
    check_rows(len(body))
    overflow = any(len(row) > width for row in body)
    cells = [_fit(row, width, overflow) for row in body]
    return Table(distinct([*names, *[UNREAD] * overflow]), cells, _find_problems(body, width), notes, named)


def _find_problems(body: list[list[Any]], width: int) -> dict[int, str]:
    problems = {}
    for index, row in enumerate(body):
        if any(isinstance(cell, str) and cell.count("\n") > MOST_LINES for cell in row):
            problems[index] = "many lines in one cell: a quote that is not closed?"
        elif len(row) != width:
            problems[index] = f"{len(row)} cells where {width} are expected"
    return problems


def _fit(row: list[Any], width: int, overflow: bool) -> list[Any]:
    more = [json.dumps(row[width:], ensure_ascii=False, default=str) if len(row) > width else None]
    return row[:width] + [None] * (width - len(row)) + more * overflow
