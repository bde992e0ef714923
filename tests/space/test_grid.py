from __future__ import annotations

import pytest
import table
from grid import MOST_LINES, UNREAD, tabulate
from table import UnreadableFile


def test_a_row_that_does_not_fit_keeps_all_its_cells() -> None:
    found = tabulate([["id", "text"], [1, "up"], [2, "down", "and", 3.5], [4]], None, ["a note"])
    assert (found.columns, found.header, found.notes) == (["id", "text", UNREAD], True, ["a note"])
    assert found.rows == [[1, "up", None], [2, "down", '["and", 3.5]'], [4, None, None]]
    assert found.problems == {1: "4 cells where 2 are expected", 2: "1 cells where 2 are expected"}


def test_the_first_row_is_a_header_where_it_looks_like_one_or_somebody_says_so() -> None:
    rows = [["Profit rose 5 % in the last quarter", "x"], ["Loss", "y"]]
    guessed, said = tabulate(rows, None, []), tabulate(rows, True, [])
    assert (guessed.columns, len(guessed.rows), guessed.header) == (["column 1", "column 2"], 2, False)
    assert (said.columns, len(said.rows)) == (rows[0], 1)
    assert tabulate([["id", "text"]], False, []).rows == [["id", "text"]]


def test_a_cell_of_many_lines_may_be_a_quote_that_nobody_closed() -> None:
    rows = [["text"], ["a\n" * MOST_LINES], ["a\n" * (MOST_LINES + 1)]]
    assert tabulate(rows, True, []).problems == {1: "many lines in one cell: a quote that is not closed?"}


def test_the_header_is_no_row_and_nothing_is_a_table_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    rows = [["text"], ["a"], ["b"]]
    assert len(tabulate(rows, True, []).rows) == 2
    with pytest.raises(UnreadableFile, match="At most 2 rows"):
        tabulate(rows, False, [])
    assert tabulate([], None, []).columns == []
