from __future__ import annotations

from pathlib import Path

import pytest
from csv_file import read_csv
from table import guess_column

from tests.space.conftest import write


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_with_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = [["date", "Headline", "n"], ["1 May", f"Profit{delimiter} up", "1"], ["2 May", 'Loss "wide"', "2"]]
    text = "\n".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    table = read_csv(write(tmp_path / "a.csv", text))
    assert table.columns == ["date", "Headline", "n"]
    assert table.rows == [["1 May", f"Profit{delimiter} up", "1"], ["2 May", 'Loss "wide"', "2"]]
    assert guess_column(table) == "Headline"
    assert table.header is True


def test_a_ragged_row_is_kept_whole_and_marked(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path / "a.csv", "id,text\n1,Profit, but not loss\n2\n3,Fine\n"))
    assert table.columns == ["id", "text", "unread"]
    assert table.rows == [["1", "Profit", '[" but not loss"]'], ["2", None, None], ["3", "Fine", None]]
    assert table.problems == {0: "3 cells where 2 are expected", 1: "1 cells where 2 are expected"}


def test_a_quote_that_is_not_closed_is_marked(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path / "a.csv", 'id,text\n1,fine\n2,"open\n' + "3,swallowed\n" * 30))
    assert table.rows[0] == ["1", "fine"]
    assert table.problems == {1: "many lines in one cell: a quote that is not closed?"}


def test_a_list_without_a_header_loses_no_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "Profit rose at Havnby\nLoss widened at Castoria\n")
    table = read_csv(path)
    assert (table.columns, len(table.rows), table.header) == (["column 1"], 2, False)
    assert read_csv(path, header=True).columns == ["Profit rose at Havnby"]


def test_names_that_come_twice_or_are_empty_get_a_number(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path / "a.csv", "text,text,\na,b,c\n"), header=True)
    assert table.columns == ["text", "text 2", "column 3"]
