from __future__ import annotations

import json
from pathlib import Path

import pytest
import uploads
from table import load_table
from uploads import read_upload

from tests.space.conftest import write


def test_a_file_is_read_in_another_process_and_its_rows_are_kept(tmp_path: Path) -> None:
    source = str(write(tmp_path / "a.csv", "id,headline\n1,Profit rose\n2,Loss widened\n"))
    found = read_upload(source, None, tmp_path / "kept")
    assert (found.rows, found.columns, found.column, found.first) == (
        2,
        ["id", "headline"],
        "headline",
        "Profit rose",
    )
    assert (found.header, found.problem, found.bad_rows) == (True, None, 0)
    assert load_table(found.table).rows == [["1", "Profit rose"], ["2", "Loss widened"]]


def test_a_file_is_known_again_unless_it_is_to_be_read_in_another_way(tmp_path: Path) -> None:
    source = str(write(tmp_path / "a.csv", "id,headline\n1,Profit rose\n"))
    found = read_upload(source, None, tmp_path / "kept")
    assert found.answers(source, True)
    assert not found.answers(source, False) and not found.answers("b.csv", True)
    assert read_upload(source, False, tmp_path / "kept").rows == 2
    found.table.unlink()
    assert not found.answers(source, True)


def test_the_first_row_of_a_format_with_names_is_a_row(tmp_path: Path) -> None:
    source = str(write(tmp_path / "a.jsonl", '{"text": "up"}'))
    found = read_upload(source, True, tmp_path / "kept")
    assert (found.rows, found.header) == (1, None)
    assert found.answers(source, True) and found.answers(source, False)


def test_a_file_that_cannot_be_used_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    found = read_upload(str(write(tmp_path / "a.csv", "")), None, tmp_path / "kept")
    assert found.problem == "The file has no rows, so there is nothing to classify."
    assert not list((tmp_path / "kept").iterdir())


def test_a_name_with_odd_letters_is_only_a_name(tmp_path: Path) -> None:
    source = str(write(tmp_path / "--help; $(id).csv", "headline\nup it goes\n"))
    assert read_upload(source, None, tmp_path / "kept").rows == 1


def test_the_reader_knows_no_secret_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "a-secret")
    told = write(
        tmp_path / "reader.py", "import json, os, sys\nprint(json.dumps({'problem': str(os.environ)}))\n"
    )
    monkeypatch.setattr(uploads, "READER", told)
    problem = read_upload("a.csv", None, tmp_path).problem or ""
    assert "PYTHONPATH" in problem and "a-secret" not in problem


def test_what_is_said_of_a_file_can_be_sent(tmp_path: Path) -> None:
    lines = json.dumps({"\ud800": "lone \udfff surrogate"}) + "\n"
    found = read_upload(str(write(tmp_path / "a.jsonl", lines)), None, tmp_path / "kept")
    assert (found.columns, found.first) == (["?"], "lone ? surrogate")
    assert load_table(found.table).rows == [["lone ? surrogate"]]
