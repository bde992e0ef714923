"""What was written into a file of any format is what is read, letter by letter, or it is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import escape
from pyarrow import parquet

from tests.finsent.data.sources.samples import make_source, read

MAPS = {"label one": "negative", "label two": "positive"}
Rows = list[tuple[str, str]]


def rows_of(*left_out: str) -> st.SearchStrategy[Rows]:
    """Rows with letters of any kind but these: half letters, NUL, byte-order marks and what is no letter."""
    letters = st.characters(exclude_categories=["Cs", *left_out], exclude_characters="\0\ufeff\ufffe\uffff")
    texts = st.text(letters, min_size=1).filter(str.strip)
    return st.lists(st.tuples(texts, st.sampled_from(sorted(MAPS))), min_size=1)


def write_delimited(file: Path, found: Rows, encoding: str = "utf-8", delimiter: str = ",") -> None:
    with file.open("w", encoding=encoding, newline="") as lines:
        writer = csv.writer(lines, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *found])


def write_lines(file: Path, found: Rows, ascii_only: bool = True) -> None:
    objects = [json.dumps({"label": label, "text": text}, ensure_ascii=ascii_only) for text, label in found]
    file.write_text("\n".join(objects), encoding="utf-8", newline="")


def write_array(file: Path, found: Rows) -> None:
    objects = [{"text": text, "label": label} for text, label in found]
    file.write_text(json.dumps(objects, indent=1), encoding="utf-8")


def write_parquet(file: Path, found: Rows) -> None:
    texts, labels = zip(*found, strict=True)
    parquet.write_table(pyarrow.table({"text": texts, "label": labels}), file)


def write_sheet(file: Path, found: Rows) -> None:
    book = openpyxl.Workbook()
    for number, (text, label) in enumerate([("text", "label"), *found], 1):
        cell = book.active.cell(number, 1, escape(text))
        cell.data_type = "s"  # text that begins with "=" is no formula
        book.active.cell(number, 2, label)
    book.save(file)


WRITERS: dict[str, tuple[str, Callable[[Path, Rows], None]]] = {
    "csv": ("rows.csv", write_delimited),
    "tsv": ("rows.tsv", lambda file, found: write_delimited(file, found, delimiter="\t")),
    "utf-16": ("rows.csv", lambda file, found: write_delimited(file, found, encoding="utf-16")),
    "jsonl": ("rows.jsonl", write_lines),
    "jsonl in letters": ("rows.jsonl", lambda file, found: write_lines(file, found, ascii_only=False)),
    "array": ("rows.json", write_array),
    "parquet": ("rows.parquet", write_parquet),
}


@pytest.mark.parametrize("how", WRITERS)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(found=rows_of())
def test_rows_come_back_as_they_were(how: str, tmp_path: Path, found: Rows) -> None:
    name, write = WRITERS[how]
    write(tmp_path / name, found)
    again = read(make_source(tmp_path, files={"train": [name]}, labels=MAPS))
    assert [(row.text, row.label) for row in again] == [(text, MAPS[label]) for text, label in found]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(found=rows_of("Cc"))  # openpyxl writes no control characters
def test_a_sheet_comes_back_as_it_was(tmp_path: Path, found: Rows) -> None:
    write_sheet(tmp_path / "rows.xlsx", found)
    again = read(make_source(tmp_path, files={"train": ["rows.xlsx"]}, labels=MAPS))
    assert [row.text for row in again] == [text for text, _ in found]
