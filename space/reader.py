"""One uploaded file, read in a process of its own: python reader.py FILE HEADER TABLE SECONDS BYTES PARENT.

Writes the table and prints a summary of it, or the problem that it has. The process may use so many seconds
and bytes; a file that needs more ends this process and nothing else. It ends with its parent, the process
of that number. See uploads.py, which starts it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csv_file import read_csv
from jsonl_file import read_jsonl
from parquet_file import read_parquet
from table import MEGABYTE, MOST_BYTES, Table, UnreadableFile, guess_column, save_table
from xlsx_file import read_xlsx

READERS: dict[str, Callable[[Path, bool | None], Table]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
    ".xlsx": read_xlsx,
}
SHOWN_CHARACTERS = 120
MOST_WRITTEN_BYTES = 1_000_000_000
PR_SET_PDEATHSIG = 1  # prctl(2)


def read_table(path: Path, header: bool | None = None) -> Table:
    """Read an uploaded file by the ending of its name.

    `header` says whether the first row of a CSV or XLSX names the columns; None guesses.
    Raises UnreadableFile when it is too large, too long, empty, broken, or of another format.
    """
    size, suffix = path.stat().st_size, path.suffix.lower()
    if size > MOST_BYTES:
        raise UnreadableFile(
            f"The file has {size / MEGABYTE:.0f} MB, at most {MOST_BYTES // MEGABYTE} MB are taken: split it."
        )
    if suffix not in READERS:
        raise UnreadableFile(
            f"Files ending in {suffix or 'nothing'} cannot be read: use {', '.join(READERS)}."
        )
    try:
        table = READERS[suffix](path, header)
    except (UnreadableFile, MemoryError):
        raise
    except Exception as error:  # the parsers of a format raise whatever they like
        kind = {".parquet": "Parquet", ".xlsx": "XLSX"}.get(suffix, suffix.removeprefix(".").upper())
        raise UnreadableFile(f"The file is not a readable {kind} file ({type(error).__name__}).") from None
    if not table.rows:
        raise UnreadableFile("The file has no rows, so there is nothing to classify.")
    return table


def summarise(table: Table) -> dict[str, Any]:
    """Return what is said of a table before it is classified; its fields are those of `uploads.Upload`."""
    column = guess_column(table)
    first = str(table.rows[0][table.columns.index(column)])[:SHOWN_CHARACTERS]
    return {
        "columns": table.columns,
        "rows": len(table.rows),
        "bad_rows": len(table.problems),
        "notes": table.notes,
        "header": table.header,
        "column": column,
        "first": first,
    }


def bound_process(seconds: int, size: int, parent: int) -> None:
    """Let the kernel end this process over so much processor time, memory or output, and with its parent."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN_BYTES, MOST_WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)  # answers to single texts go first
    with contextlib.suppress(AttributeError):  # Linux alone has it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this process asked to end with it
        sys.exit(1)


def main(file: str, header: str, table: str, seconds: str, size: str, parent: str) -> None:
    """Read one file within the bounds and say what it holds."""
    bound_process(int(seconds), int(size), int(parent))
    try:
        found = read_table(Path(file), json.loads(header))
        save_table(found, Path(table))
        said = summarise(found)
    except UnreadableFile as error:
        said = {"problem": str(error)}
    text = json.dumps(said, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


if __name__ == "__main__":
    main(*sys.argv[1:])
