from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tables
from tables import Table, UnreadableFile, guess_column, read_lines, read_table


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_pasted_lines_are_rows_and_blank_lines_are_none() -> None:
    table = read_lines("Profit rose\r\n\n  Loss, widened \n")
    assert table.rows == [["Profit rose"], ["Loss, widened"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_with_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = [["date", "Headline", "n"], ["1 May", f"Profit{delimiter} up", "1"], ["2 May", 'Loss "wide"', "2"]]
    text = "\n".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    table = read_table(write(tmp_path / "a.csv", text))
    assert table.columns == ["date", "Headline", "n"]
    assert table.rows == [["1 May", f"Profit{delimiter} up", "1"], ["2 May", 'Loss "wide"', "2"]]
    assert guess_column(table) == "Headline"
    assert table.header is True


def test_a_ragged_row_is_kept_whole_and_marked(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "id,text\n1,Profit, but not loss\n2\n3,Fine\n"))
    assert table.columns == ["id", "text", "unread"]
    assert table.rows == [["1", "Profit", '[" but not loss"]'], ["2", None, None], ["3", "Fine", None]]
    assert table.problems == {0: "3 cells where 2 are expected", 1: "1 cells where 2 are expected"}


def test_a_quote_that_is_not_closed_is_marked(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", 'id,text\n1,fine\n2,"open\n' + "3,swallowed\n" * 30))
    assert table.rows[0] == ["1", "fine"]
    assert table.problems == {1: "many lines in one cell: a quote that is not closed?"}


def test_a_list_without_a_header_loses_no_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Profit rose at Havnby\nLoss widened at Castoria\n")
    table = read_table(path)
    assert (table.columns, len(table.rows), table.header) == (["column 1"], 2, False)
    assert read_table(path, header=True).columns == ["Profit rose at Havnby"]


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-16-le", False), ("cp1252", True)],
)
def test_encodings(tmp_path: Path, encoding: str, noted: bool) -> None:
    table = read_table(write(tmp_path / "a.csv", "headline\nÜbernahme für Café geplant\n".encode(encoding)))
    assert table.rows == [["Übernahme für Café geplant"]]
    assert bool(table.notes) is noted


def test_jsonl_keeps_every_line(tmp_path: Path) -> None:
    lines = [
        '{"text": "up", "n": 1}',
        "not json",
        '"only text"',
        "[1]",
        '{"text": "x", "more": {"a": [1]}}',
        "9",
    ]
    table = read_table(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert table.columns == ["text", "n", "unread", "more"]
    assert [row[0] for row in table.rows] == ["up", None, "only text", None, "x", None]
    assert table.rows[1][2] == "not json"
    assert table.rows[4][3] == '{"a": [1]}'
    assert table.problems == {
        1: "no valid JSON",
        3: "neither an object nor a string",
        5: "neither an object nor a string",
    }


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"when": [1.5, None], "body": ["up", "down and out"], "tags": [["a"], []]}), path)
    table = read_table(path)
    assert table.rows == [[1.5, "up", '["a"]'], [None, "down and out", "[]"]]
    assert guess_column(table) == "body"


def test_xlsx(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is only in the Space's own requirements")
    book = openpyxl.Workbook()
    for row in [["ticker", "news"], ["AB", "Profit rose"], ["CD", None], [3, "=1+1"]]:
        book.active.append(row)
    book.create_sheet("second")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.columns == ["ticker", "news"]
    assert table.rows == [["AB", "Profit rose"], ["CD", None], [3, "=1+1"]]
    assert table.notes == ["2 sheets; the first one is read."]


def test_a_column_without_a_telling_name_is_found_by_its_words() -> None:
    table = Table(["a", "b", "c"], [["x", "Profit rose at the mill", 3], ["y", None, 4]])
    assert guess_column(table) == "b"


def test_names_that_come_twice_or_are_empty_get_a_number(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "text,text,\na,b,c\n"), header=True)
    assert table.columns == ["text", "text 2", "column 3"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", r"Files ending in .pdf are not read: use .csv"),
        ("a.csv", "", "holds no rows"),
        ("a.csv", bytes(range(256)) * 9, "binary data"),
        ("a.parquet", "no parquet", "no readable Parquet"),
        ("a.jsonl", " \n", "holds no rows"),
        ("a.csv", ",".join("a" * 201) + "\n" + ",".join("b" * 201), "201 columns, at most 200"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_table(write(tmp_path / name, content))


def test_a_broken_xlsx_says_so(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="openpyxl is only in the Space's own requirements")
    with pytest.raises(UnreadableFile, match="no readable XLSX"):
        read_table(write(tmp_path / "a.xlsx", "PK nonsense"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_the_limit_on_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)

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


def test_the_limit_on_pasted_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    with pytest.raises(UnreadableFile, match="At most 2 rows"):
        read_lines("a\nb\nc")


def test_the_limit_on_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", tables.MEGABYTE)
    with pytest.raises(UnreadableFile, match="The file has 2 MB, at most 1 MB are taken"):
        read_table(write(tmp_path / "a.csv", b"x" * 2 * tables.MEGABYTE))


def test_the_limit_on_what_a_file_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_UNPACKED_BYTES", 1_000)
    pq.write_table(
        pa.table({"text": [f"headline {number}" for number in range(500)]}), tmp_path / "a.parquet"
    )
    with pytest.raises(UnreadableFile, match="Unpacked, the file would have"):
        read_table(tmp_path / "a.parquet")
