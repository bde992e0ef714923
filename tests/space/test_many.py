from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from many import Jobs, read_input, sweep
from tables import UnreadableFile


def test_a_visitor_stops_his_own_run_only() -> None:
    jobs = Jobs()
    jobs.open("one")
    jobs.open("two")
    assert jobs.stop("one")
    assert (jobs.is_stopped("one"), jobs.is_stopped("two")) == (True, False)
    jobs.close("one")
    assert not jobs.stop("one")
    assert not jobs.stop("nobody")


def test_a_new_run_is_not_stopped_by_an_old_click() -> None:
    jobs = Jobs()
    jobs.open("one")
    jobs.stop("one")
    jobs.open("one")
    assert not jobs.is_stopped("one")


def test_a_file_counts_before_pasted_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,headline\n1,Profit rose\n")
    assert read_input("pasted", str(file), "id", True)[1] == "id"
    table, column = read_input("pasted", str(file), "gone", True)
    assert (table.rows, column) == ([["1", "Profit rose"]], "headline")
    assert read_input("pasted", None, None, True)[0].rows == [["pasted"]]


def test_nothing_at_all_is_told() -> None:
    with pytest.raises(UnreadableFile, match="nothing to classify yet: paste lines or choose a file"):
        read_input(" \n", None, None, True)


def test_old_results_are_swept(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "old" / "result.csv").write_text("x")
    os.utime(tmp_path / "old", (time.time() - 100, time.time() - 100))
    sweep(tmp_path, 50)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    sweep(tmp_path / "never made", 50)
