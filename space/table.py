"""A table of rows, and the bounds that hold while one is read."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20  # as Gradio counts, which refuses a larger upload before it is read here
MOST_BYTES = 50 * MEGABYTE
MOST_UNPACKED_BYTES = 300_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_CELLS = 5_000_000
MOST_NAME = 200  # characters of a column's name; what is longer is cut
TEXT_NAMES = (
    *("headline", "text", "title", "sentence", "news", "tweet"),
    *("message", "body", "content", "summary", "description"),
)


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


@dataclass
class Bounds:
    """How much was read so far. Every method raises UnreadableFile as soon as that is more than is taken.

    So a file that unpacks to more than a machine holds is refused after its first part.
    """

    header_rows: int = 0
    rows: int = 0
    columns: int = 0
    cells: int = 0
    unpacked: int = 0

    def add_row(self, cells: Collection[Any], width: int = 0) -> None:
        """Count a row, its characters and its cells.

        `width` is how many the format made of it: one style in the last column of a sheet makes 16,384.
        """
        self.rows += 1
        self.cells += max(len(cells), width)
        for cell in cells:
            self.unpacked += len(cell) if isinstance(cell, str) else 8
        self._check()

    def set_columns(self, columns: int) -> None:
        """Note how many columns the table has by now."""
        self.columns = columns
        self._check()

    def _check(self) -> None:
        if self.rows > MOST_ROWS + self.header_rows:
            raise too_many_rows("more")
        if self.columns > MOST_COLUMNS:
            raise UnreadableFile(f"{self.columns:,} columns, at most {MOST_COLUMNS} are taken: drop some.")
        if max(self.cells, self.rows * self.columns) > MOST_CELLS:
            raise UnreadableFile(
                f"Rows times columns are more than the {MOST_CELLS:,} cells that are taken: drop columns, or "
                "split the file."
            )
        check_unpacked(self.unpacked)


def check_rows(rows: int) -> None:
    """Raise UnreadableFile for a table of more than MOST_ROWS rows."""
    if rows > MOST_ROWS:
        raise too_many_rows(f"{rows:,}")


def check_unpacked(size: int) -> None:
    """Raise UnreadableFile for a file whose content has more than MOST_UNPACKED_BYTES."""
    if size > MOST_UNPACKED_BYTES:
        found, most = f"{size / 1e6:,.0f} MB", f"{MOST_UNPACKED_BYTES / 1e6:,.0f} MB"
        raise UnreadableFile(f"Unpacked, the file has {found} or more; at most {most} are taken: split it.")


def too_many_rows(found: str) -> UnreadableFile:
    """Return the error for a file with more than MOST_ROWS rows."""
    return UnreadableFile(f"At most {MOST_ROWS:,} rows are taken at once, the file has {found}: split it.")


def read_lines(pasted: str) -> Table:
    """Return pasted lines as a table of one column; blank lines only separate.

    Raises UnreadableFile over MOST_ROWS.
    """
    lines = [line.strip() for line in pasted.splitlines()]
    rows = [[line] for line in lines if line]
    if len(rows) > MOST_ROWS:
        raise too_many_rows("more")
    return Table(["text"], rows)


def guess_column(table: Table) -> str:
    """Return the column that most likely holds the texts: by its name, else by the length of its text."""
    lower = {name.lower().strip(): name for name in reversed(table.columns)}
    for name in TEXT_NAMES:
        if name in lower:
            return lower[name]
    sample = table.rows[:200]

    def words(index: int) -> int:
        return sum(len(row[index].split()) for row in sample if isinstance(row[index], str))

    return table.columns[max(range(len(table.columns)), key=words)]


def looks_like_names(row: Sequence[Any]) -> bool:
    """Guess whether a first row names columns: short, distinct, no numbers, no sentences."""
    cells = [str(cell or "").strip() for cell in row]
    if len(cells) == 1:
        return cells[0].lower() in TEXT_NAMES or bool(re.fullmatch(r"[A-Za-z_]\w{0,20}", cells[0]))
    short = all(0 < len(cell) <= 40 and len(cell.split()) <= 4 for cell in cells)
    return short and len(set(cells)) == len(cells) and not any(re.match(r"[-+$]?\d", cell) for cell in cells)


def distinct(names: Sequence[str]) -> list[str]:
    """Return names with a number behind each that was there before, and for each that is empty."""
    taken: dict[str, None] = {}
    for position, name in enumerate(names, 1):
        wanted = base = name[:MOST_NAME] or f"column {position}"
        number = 2
        while wanted in taken:
            wanted, number = f"{base} {number}", number + 1
        taken[wanted] = None
    return list(taken)


def plain(cell: Any) -> Any:  # noqa: ANN401  (whatever a file holds)
    """Return a cell as a value that every format can hold."""
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, dict | list) else str(cell)


def save_table(table: Table, path: Path) -> None:
    """Write a table as JSON lines, what is about the whole of it first. A lone surrogate becomes `?`."""
    head = {name: getattr(table, name) for name in ("columns", "problems", "notes", "header")}
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        for line in (head, *table.rows):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def load_table(path: Path) -> Table:
    """Read what `save_table` wrote."""
    with path.open(encoding="utf-8", newline="\n") as file:
        head = json.loads(file.readline())
        rows = [json.loads(line) for line in file]
    problems = {int(position): problem for position, problem in head["problems"].items()}
    return Table(head["columns"], rows, problems, head["notes"], head["header"])
