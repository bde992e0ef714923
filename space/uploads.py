"""Uploaded files, each read in a process that can be ended, so that no visitor's file stops another's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READER = Path(__file__).with_name("reader.py")
HEADED = (".csv", ".tsv", ".txt", ".xlsx")  # formats whose first row may name the columns
SUFFIXES = (*HEADED, ".jsonl", ".ndjson", ".parquet")
MOST_SECONDS = 60  # of a processor
PATIENCE = 180  # seconds by the clock, on a machine that is busy
MOST_MEMORY = 1_000_000_000  # bytes
AT_ONCE = 4  # files that are read at the same time


@dataclass(frozen=True)
class Upload:
    """A file that was read, and what is known of it; `table` is where its rows are kept.

    `header` says whether its first row names the columns, None where its format has names of its own.
    `problem` says why it cannot be used; nothing else is known of it then.
    """

    source: str
    table: Path
    header: bool | None = None
    columns: list[str] = field(default_factory=list)
    column: str = ""
    first: str = ""
    rows: int = 0
    bad_rows: int = 0
    notes: list[str] = field(default_factory=list)
    problem: str | None = None

    def answers(self, source: str, header: bool) -> bool:
        """Tell whether this is that file, read in that way, and still kept or known to be unusable."""
        same = self.source == source and (self.header is None or self.header == header)
        return same and (self.problem is not None or self.table.is_file())


def read_upload(source: str, header: bool | None, folder: Path) -> Upload:
    """Read a file in a process of its own, which is gone when this returns; its rows go into `folder`.

    `header` says whether the first row of a CSV or XLSX names the columns; None guesses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{uuid.uuid4().hex}.table"
    try:
        said = _run_reader(source, header if source.lower().endswith(HEADED) else None, table)
    except subprocess.TimeoutExpired:
        said = {"problem": f"The file was not read within {PATIENCE} s: split it, or save it as CSV."}
    if "problem" in said:
        table.unlink(missing_ok=True)
    return Upload(source, table, **said)


def _run_reader(source: str, header: bool | None, table: Path) -> dict[str, Any]:
    bounds = (str(MOST_SECONDS), str(MOST_MEMORY), str(os.getpid()))
    done = subprocess.run(
        [sys.executable, str(READER), source, json.dumps(header), str(table), *bounds],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_bare_environment(),
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        needed = f"more than {MOST_MEMORY / 1e9:.0f} GB of memory or {MOST_SECONDS} s of a processor"
        return {"problem": f"The file needs {needed} to be read: split it."}
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _bare_environment() -> dict[str, str]:
    """Return what Python needs to find its packages, and no token of the app."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve more than the bound on memory
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
