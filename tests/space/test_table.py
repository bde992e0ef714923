from __future__ import annotations

from pathlib import Path

import pytest
import table
from table import Bounds, Table, UnreadableFile, distinct, guess_column, load_table, read_lines, save_table


def test_pasted_lines_are_rows_and_blank_lines_are_none() -> None:
    found = read_lines("Profit rose\r\n\n  Loss, widened \n")
    assert found.rows == [["Profit rose"], ["Loss, widened"]]


def test_a_column_without_a_telling_name_is_found_by_its_words() -> None:
    found = Table(["a", "b", "c"], [["x", "Profit rose at the mill", 3], ["y", None, 4]])
    assert guess_column(found) == "b"


def test_the_limit_on_pasted_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    with pytest.raises(UnreadableFile, match="At most 2 rows"):
        read_lines("a\nb\nc")


def test_names_are_distinct_and_short() -> None:
    assert distinct(["a", "a", "", "a 2"]) == ["a", "a 2", "column 3", "a 2 2"]
    assert [len(name) for name in distinct(["x" * 1_000, "x" * 1_000])] == [200, 202]


def test_a_table_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    rows = [["up\n", 1, None], ["\u2028", True, 1.5], ["\ud800 lone", float("inf"), "=1"]]
    saved = Table(["a", "b", "c"], rows, {1: "odd"}, ["a note"], header=False)
    save_table(saved, tmp_path / "a.table")
    rows[2][0] = "? lone"
    assert load_table(tmp_path / "a.table") == saved


def test_bounds_hold_while_rows_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_CELLS", 10)
    monkeypatch.setattr(table, "MOST_UNPACKED_BYTES", 100)
    bounds = Bounds(columns=3)
    for _ in range(3):
        bounds.add_row(["x"])
    with pytest.raises(UnreadableFile, match="more than the 10 cells that are taken: drop columns, or split"):
        bounds.add_row(["x"])
    with pytest.raises(UnreadableFile, match="more than the 10 cells"):
        Bounds().add_row(["x"], width=11)
    with pytest.raises(UnreadableFile, match="Unpacked, the file has"):
        Bounds().add_row(["x" * 101])
    with pytest.raises(UnreadableFile, match="201 columns, at most 200 are taken: drop some"):
        Bounds().set_columns(201)
