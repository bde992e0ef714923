"""JSON lines: an object or a string a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

from grid import UNREAD
from table import Bounds, Table, distinct, plain
from text_file import read_text


def read_jsonl(path: Path, _: bool | None = None) -> Table:
    """Read JSON lines; the columns are the keys of all objects, in the order in which they come.

    Raises UnreadableFile, while it is read, for more than Bounds allow.
    """
    return read_text(path, _read_records)


def _read_records(file: TextIO, notes: list[str]) -> Table:
    bounds, columns = Bounds(), dict[str, None]()
    records, problems = list[dict[str, Any]](), dict[int, str]()
    for line in file:
        if not line.strip():
            continue
        record, problem = _read_record(line)
        if problem:
            problems[len(records)] = problem
        columns |= dict.fromkeys(record)
        bounds.set_columns(len(columns))
        record = {key: plain(value) for key, value in record.items()}
        bounds.add_row(record.values())
        records.append(record)
    rows = [[record.get(column) for column in columns] for record in records]
    return Table(distinct(list(columns)), rows, problems, notes)


def _read_record(line: str) -> tuple[dict[str, Any], str | None]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {UNREAD: line.strip()}, "no valid JSON"
    if isinstance(value, dict):
        return value, None
    if isinstance(value, str):
        return {"text": value}, None
    return {UNREAD: line.strip()}, "neither an object nor a string"
