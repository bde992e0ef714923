from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import reader
import table
from reader import read_table
from table import UnreadableFile

from tests.space.conftest import write


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", r"Files ending in .pdf cannot be read: use .csv"),
        ("a.csv", "", "has no rows"),
        ("a.csv", bytes(range(256)) * 9, "binary data"),
        ("a.parquet", "no parquet", "not a readable Parquet"),
        ("a.jsonl", " \n", "has no rows"),
        ("a.csv", ",".join("a" * 201) + "\n" + ",".join("b" * 201), "201 columns, at most 200"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_table(write(tmp_path / name, content))


def test_a_broken_xlsx_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not a readable XLSX"):
        read_table(write(tmp_path / "a.xlsx", "PK nonsense"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_the_limit_on_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 3)

    def file(rows: int) -> Path:
        if name == "a.parquet":
            pq.write_table(pa.table({"text": ["up it goes"] * rows}), tmp_path / name)
            return tmp_path / name
        lines = ["text"] * (name == "a.csv") + [json.dumps("up it goes")] * rows
        return write(tmp_path / name, "\n".join(lines))

    assert len(read_table(file(3)).rows) == 3
    for too_many in (4, 5, 9):
        with pytest.raises(UnreadableFile, match=r"At most 3 rows are taken at once.*split it"):
            read_table(file(too_many))


def test_the_limit_on_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", table.MEGABYTE)
    with pytest.raises(UnreadableFile, match="The file has 2 MB, at most 1 MB are taken"):
        read_table(write(tmp_path / "a.csv", b"x" * 2 * table.MEGABYTE))


def test_the_limit_on_what_a_file_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_UNPACKED_BYTES", 1_000)
    pq.write_table(
        pa.table({"text": [f"headline {number}" for number in range(500)]}), tmp_path / "a.parquet"
    )
    with pytest.raises(UnreadableFile, match="Unpacked, the file has 0 MB or more; at most 0 MB are taken"):
        read_table(tmp_path / "a.parquet")
