"""Uploads: CSV, JSONL, Parquet and XLSX as one table of rows in which nothing is lost.

A row that cannot be read stays where it was, with what was read of it and with a word on what is wrong.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20  # as Gradio counts, which refuses a larger upload before it is read here
MOST_BYTES = 50 * MEGABYTE
MOST_UNPACKED_BYTES = 1_000_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_LINES = 20  # in one cell of a CSV
SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".xlsx")
UNREAD = "unread"  # the column for what did not fit into the others
TEXT_NAMES = (
    *("headline", "text", "title", "sentence", "news", "tweet"),
    *("message", "body", "content", "summary", "description"),
)
DELIMITERS = ",;\t|"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class UnreadableFile(ValueError):
    """A file that cannot be used; the message says what was found, what is allowed and what to do."""


@dataclass(frozen=True)
class Table:
    """Rows in their order, each with one cell a column.

    `problems` says by position what is wrong with a row; `notes` are about the whole file.
    """

    columns: list[str]
    rows: list[list[Any]]
    problems: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    header: bool | None = None  # whether the first row gave the names; None where a format has its own


def read_lines(pasted: str) -> Table:
    """Return pasted lines as a table of one column; blank lines only separate.

    Raises UnreadableFile over MOST_ROWS.
    """
    lines = [line.strip() for line in pasted.splitlines()]
    return Table(["text"], _bounded([line] for line in lines if line))


def read_table(path: Path, header: bool | None = None) -> Table:
    """Read an uploaded file by the ending of its name.

    `header` says whether the first row of a CSV or XLSX names the columns; None guesses.
    Raises UnreadableFile when it is too large, too long, empty, broken, or of another format.
    """
    if path.stat().st_size > MOST_BYTES:
        size = path.stat().st_size / MEGABYTE
        raise UnreadableFile(
            f"The file has {size:.0f} MB, at most {MOST_BYTES // MEGABYTE} MB are taken: split it."
        )
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        table = _read_jsonl(path)
    elif suffix == ".parquet":
        table = _read_parquet(path)
    elif suffix == ".xlsx":
        table = _read_xlsx(path, header)
    elif suffix in SUFFIXES:
        table = _read_csv(path, header)
    else:
        raise UnreadableFile(
            f"Files ending in {suffix or 'nothing'} are not read: use {', '.join(SUFFIXES)}."
        )
    if not table.rows:
        raise UnreadableFile("The file holds no rows: nothing to classify.")
    if len(table.columns) > MOST_COLUMNS:
        raise UnreadableFile(f"{len(table.columns)} columns, at most {MOST_COLUMNS} are taken: drop some.")
    return table


def guess_column(table: Table) -> str:
    """Return the column that most likely holds the headlines: by its name, else by the length of its text."""
    lower = {name.lower().strip(): name for name in reversed(table.columns)}
    for name in TEXT_NAMES:
        if name in lower:
            return lower[name]
    sample = table.rows[:200]

    def words(index: int) -> int:
        return sum(len(row[index].split()) for row in sample if isinstance(row[index], str))

    return table.columns[max(range(len(table.columns)), key=words)]


def _bounded(rows: Iterator[list[Any]]) -> list[list[Any]]:
    taken = list(islice(rows, MOST_ROWS + 1))
    if len(taken) > MOST_ROWS:
        raise _too_many("more")
    return taken


def _too_many(found: str) -> UnreadableFile:
    return UnreadableFile(f"At most {MOST_ROWS:,} rows are taken at once, the file has {found}: split it.")


def _decode(path: Path) -> tuple[str, list[str]]:
    """Return the text of a file and what had to be assumed to read it."""
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif raw[1:2000:2].count(0) > len(raw[1:2000:2]) * 0.6:
        encoding = "utf-16-le"  # without a mark, but every other byte of Latin text is zero
    else:
        encoding = "utf-8-sig"
    try:
        text, notes = raw.decode(encoding), []
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
        notes = ["The file is not UTF-8; it was read as Windows-1252. Look at the accents below."]
    if len(_CONTROL.findall(text[:100_000])) > len(text[:100_000]) * 0.01:
        raise UnreadableFile("The file holds no text but binary data: save it as CSV in UTF-8.")
    return text, notes


def _read_csv(path: Path, header: bool | None) -> Table:
    text, notes = _decode(path)
    csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_guess_delimiter(text))
    rows = _bounded_with_header(row for row in reader if row)
    return _tabulate(rows, header, notes)


def _bounded_with_header(rows: Iterator[list[Any]]) -> list[list[Any]]:
    taken = list(islice(rows, MOST_ROWS + 2))
    if len(taken) > MOST_ROWS + 1:
        raise _too_many("more")
    return taken


def _guess_delimiter(text: str) -> str:
    """Return the delimiter that splits the first rows into the most columns of equal number, else a comma."""
    head = text[:20_000].splitlines()[:20]

    def columns(delimiter: str) -> int:
        widths = {len(row) for row in csv.reader(head[: max(1, len(head) - 1)], delimiter=delimiter) if row}
        return widths.pop() if len(widths) == 1 else 0

    best = max(DELIMITERS, key=columns)
    if columns(best) > 1:
        return best
    first = head[0] if head else ""
    return max(DELIMITERS, key=first.count)  # ragged rows: the header decides


def _tabulate(rows: list[list[Any]], header: bool | None, notes: list[str]) -> Table:
    """Return rows as a table of the width of the first; what does not fit goes to the column UNREAD."""
    if not rows:
        return Table([], [], notes=notes)
    named = _looks_like_names(rows[0]) if header is None else header
    width = len(rows[0])
    names = [str(cell or "").strip() for cell in rows[0]] if named else [""] * width
    body = rows[1:] if named else rows
    if len(body) > MOST_ROWS:
        raise _too_many(f"{len(body):,}")
    problems = {
        index: f"{len(row)} cells where {width} are expected"
        for index, row in enumerate(body)
        if len(row) != width
    }
    for index, row in enumerate(body):
        if any(isinstance(cell, str) and cell.count("\n") > MOST_LINES for cell in row):
            problems[index] = "many lines in one cell: a quote that is not closed?"
    overflow = any(len(row) > width for row in body)
    cells = [_fit(row, width, overflow) for row in body]
    return Table(distinct([*names, *[UNREAD] * overflow]), cells, problems, notes, named)


def _fit(row: list[Any], width: int, overflow: bool) -> list[Any]:
    more = [json.dumps(row[width:], ensure_ascii=False, default=str) if len(row) > width else None]
    return row[:width] + [None] * (width - len(row)) + more * overflow


def _looks_like_names(row: Sequence[Any]) -> bool:
    """Guess whether a first row names columns: short, distinct, no numbers, no sentences."""
    cells = [str(cell or "").strip() for cell in row]
    if len(cells) == 1:
        return cells[0].lower() in TEXT_NAMES or bool(re.fullmatch(r"[A-Za-z_]\w{0,20}", cells[0]))
    short = all(0 < len(cell) <= 40 and len(cell.split()) <= 4 for cell in cells)
    return short and len(set(cells)) == len(cells) and not any(re.match(r"[-+$]?\d", cell) for cell in cells)


def distinct(names: Sequence[str]) -> list[str]:
    """Return names with a number behind each that stood before, and for each that is empty."""
    taken: list[str] = []
    for position, name in enumerate(names, 1):
        wanted = base = name or f"column {position}"
        number = 2
        while wanted in taken:
            wanted, number = f"{base} {number}", number + 1
        taken.append(wanted)
    return taken


def _read_jsonl(path: Path) -> Table:
    text, notes = _decode(path)
    lines = _bounded([line] for line in text.split("\n") if line.strip())
    records, problems = [], {}
    for index, [line] in enumerate(lines):
        record, problem = _read_record(line)
        records.append(record)
        if problem:
            problems[index] = problem
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = [[_plain(record.get(column)) for column in columns] for record in records]
    return Table(columns, rows, problems, notes)


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


def _read_parquet(path: Path) -> Table:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            if meta.num_rows > MOST_ROWS:
                raise _too_many(f"{meta.num_rows:,}")
            _check_unpacked(sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)))
            read = file.read()
    except (ArrowException, OSError) as error:
        raise UnreadableFile(f"The file is no readable Parquet ({type(error).__name__}).") from None
    columns = [column.to_pylist() for column in read.columns]
    rows = [[_plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    return Table(distinct(read.column_names), rows)


def _read_xlsx(path: Path, header: bool | None) -> Table:
    try:
        with zipfile.ZipFile(path) as packed:
            _check_unpacked(sum(entry.file_size for entry in packed.infolist()))
        rows, sheets = _read_sheet(path, values=False)
        if any(isinstance(cell, str) and cell.startswith("=") for row in rows for cell in row):
            rows = _values_of(rows, _read_sheet(path, values=True)[0])
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise UnreadableFile(f"The file is no readable XLSX ({type(error).__name__}).") from None
    notes = [f"{sheets} sheets; the first one is read."] if sheets > 1 else []
    return _tabulate([row for row in rows if any(cell is not None for cell in row)], header, notes)


def _read_sheet(path: Path, values: bool) -> tuple[list[list[Any]], int]:
    """Return the rows of the first sheet and how many sheets there are; formulas, or the values they had."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=values)
    try:
        sheet = book[book.sheetnames[0]]
        found = ([_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
        return _bounded_with_header(found), len(book.sheetnames)
    finally:
        book.close()


def _values_of(formulas: list[list[Any]], values: list[list[Any]]) -> list[list[Any]]:
    """Return the values, and the formula itself where the program that wrote the file kept no value."""
    return [
        [formula if value is None else value for formula, value in zip(row, known, strict=True)]
        for row, known in zip(formulas, values, strict=True)
    ]


def _check_unpacked(size: int) -> None:
    if size > MOST_UNPACKED_BYTES:
        raise UnreadableFile(
            f"Unpacked, the file would have {size / 1e9:.1f} GB; at most 1 GB is taken: split it."
        )


def _plain(cell: Any) -> Any:  # noqa: ANN401  (whatever a file holds)
    """Return a cell as a value that every format can hold."""
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, dict | list) else str(cell)
