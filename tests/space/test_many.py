from __future__ import annotations

from pathlib import Path

import pytest
from kept_files import discard
from many import choose_input, describe_upload
from table import UnreadableFile
from uploads import Upload, read_upload


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    file = tmp_path / "a.csv"
    file.write_text("id,headline\n1,Profit rose\n2\n", encoding="utf-8")
    return read_upload(str(file), None, tmp_path / "kept")


def test_a_file_counts_before_pasted_lines(upload: Upload) -> None:
    assert choose_input("pasted", upload, "id")[1] == "id"
    table, column = choose_input("pasted", upload, "gone")
    assert (table.rows, column) == ([["1", "Profit rose"], ["2", None]], "headline")
    assert choose_input("pasted", None, None)[0].rows == [["pasted"]]


def test_nothing_at_all_is_told() -> None:
    with pytest.raises(UnreadableFile, match="nothing to classify yet: paste lines or choose a file"):
        choose_input(" \n", None, None)


def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="has no rows"):
        choose_input("pasted", Upload("a.csv", tmp_path, problem="The file has no rows"), None)


def test_a_file_that_is_no_longer_kept_is_told(upload: Upload) -> None:
    discard(upload.table.parent)
    with pytest.raises(UnreadableFile, match="deleted: choose it again"):
        choose_input("pasted", upload, "headline")


def test_what_was_read_is_said_in_sentences(upload: Upload) -> None:
    assert describe_upload(upload) == [
        "2 rows, 2 columns.",
        "With a problem, kept and marked: 1 row.",
        "First of “headline”: Profit rose",
    ]
