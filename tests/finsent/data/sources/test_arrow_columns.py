from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from pyarrow import parquet

from finsent.data.rows import Row
from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

FILES = {"files": {"train": ["rows.parquet"]}}


def write(folder: Path, labels: Any, texts: Any = ("Up", "Down"), **more: Any) -> None:
    table = pyarrow.table({"text": texts, "label": labels, **more})
    parquet.write_table(table, folder / "rows.parquet")


def read_rows(folder: Path, **changes: object) -> list[Row]:
    return read(make_source(folder, **FILES | changes))


@pytest.mark.parametrize(
    "labels",
    [
        [1, 0],
        [1.0, 0.0],
        ["1", "0"],
        [Decimal("1.0"), Decimal("0.0")],
        pyarrow.array(["1", "0"]).dictionary_encode(),
        pandas.Series([1, 0], dtype="category"),
        pyarrow.array(["1", "0"], pyarrow.large_string()),
    ],
)
def test_labels_of_any_type_are_what_a_recipe_writes(labels: Any, tmp_path: Path) -> None:
    write(tmp_path, labels)
    assert [row.label for row in read_rows(tmp_path)] == ["positive", "negative"]


def test_truth_is_written_as_in_yaml(tmp_path: Path) -> None:
    write(tmp_path, [True, False])
    maps = {"true": "positive", "false": "negative"}
    assert [row.label for row in read_rows(tmp_path, labels=maps)] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("maps", "found"),
    [
        ({"neg": "negative", "pos": "positive"}, ["positive", "negative"]),
        ({"0": "negative", "1": "positive"}, ["positive", "negative"]),
        ({"neg": None, "pos": "positive"}, ["positive"]),
    ],
)
def test_classes_are_mapped_by_name_or_by_number(
    maps: dict[str, str | None], found: list[str], tmp_path: Path
) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    rows = Dataset.from_dict({"text": ["Up", "Down"], "label": [1, 0]}, features=features)
    rows.to_parquet(tmp_path / "rows.parquet")
    assert [row.label for row in read_rows(tmp_path, labels=maps)] == found


def test_names_that_are_numbers_count_as_names(tmp_path: Path) -> None:
    """Stars from 1 to 3 are stored as 0 to 2: to take 1 for the number would shift every label."""
    features = Features({"text": Value("string"), "label": ClassLabel(names=["1", "2", "3"])})
    rows = Dataset.from_dict({"text": ["Bad", "Good"], "label": [0, 2]}, features=features)
    rows.to_parquet(tmp_path / "rows.parquet")
    maps = {"1": "negative", "2": None, "3": "positive"}
    assert [row.label for row in read_rows(tmp_path, labels=maps)] == ["negative", "positive"]


def test_a_row_without_a_class_is_refused_until_it_is_mapped_away(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    rows = Dataset.from_dict({"text": ["Up", "Down"], "label": [1, -1]}, features=features)
    rows.to_parquet(tmp_path / "rows.parquet")
    maps: dict[str, str | None] = {"neg": "negative", "pos": "positive"}
    with pytest.raises(DataError, match=r"rows.parquet, row 2: unknown label '-1'.*with null to leave"):
        read_rows(tmp_path, labels=maps)
    assert len(read_rows(tmp_path, labels=maps | {"-1": None})) == 1


@pytest.mark.parametrize(
    ("labels", "texts", "message"),
    [
        ([1, None], ["Up", "Down"], "row 2: 'label' has no value"),
        ([1.0, 0.5], ["Up", "Down"], "row 2: 'label' is float '0.5'"),
        ([date(2026, 1, 2)] * 2, ["Up", "Down"], "row 1: 'label' is date '2026-01-02'"),
        ([b"1", b"0"], ["Up", "Down"], "row 1: 'label' is bytes"),
        ([[1], [0]], ["Up", "Down"], "row 1: 'label' is list"),
        ([1, 0], [b"Up", b"Down"], "row 1: 'text' is bytes .*, expected text"),
        ([1, 0], [1.5, 2.5], "row 1: 'text' is float"),
        ([1, 0], [date(2026, 1, 2)] * 2, "row 1: 'text' is date"),
        ([1, 0], [{"en": "Up"}, {"en": "Down"}], "row 1: 'text' is dict"),
        ([1, 0], ["Up", None], "row 2: 'text' has no value"),
    ],
)
def test_cells_that_are_no_text_are_refused(labels: Any, texts: Any, message: str, tmp_path: Path) -> None:
    write(tmp_path, labels, texts)
    with pytest.raises(DataError, match=f"^rows.parquet, {message}"):
        read_rows(tmp_path)


def test_a_column_that_is_there_twice_or_not_at_all_is_named(tmp_path: Path) -> None:
    columns = [pyarrow.array(["Up"]), pyarrow.array([1]), pyarrow.array(["Down"])]
    table = pyarrow.Table.from_arrays(columns, names=["text", "label", "text"])
    parquet.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=r"rows.parquet: has the column 'text' 2 times"):
        read_rows(tmp_path)
    with pytest.raises(
        DataError, match=r"rows.parquet: no column 'body'; it has \['text', 'label', 'text'\]"
    ):
        read_rows(tmp_path, text="body")


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    raw = pyarrow.array([b"Up", b"D\xe9j\xe0"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"text": raw, "label": [1, 0]}), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=r"rows.parquet, rows from 1: a text is not UTF-8"):
        read_rows(tmp_path)


def test_a_broken_file_is_named_and_a_packed_one_read(tmp_path: Path) -> None:
    write(tmp_path, [1, 0])
    whole = (tmp_path / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet.gz").write_bytes(gzip.compress(whole))
    assert len(read(make_source(tmp_path, files={"train": ["rows.parquet.gz"]}))) == 2
    (tmp_path / "rows.parquet").write_bytes(whole[:-20])
    with pytest.raises(DataError, match=r"^rows.parquet: cannot be read"):
        read_rows(tmp_path)


def test_groups_may_be_numbers_or_missing(tmp_path: Path) -> None:
    write(tmp_path, [1, 0], thread=[7, None], day=[date(2026, 1, 2)] * 2, score=[0.5, 1.0])
    assert [row.group for row in read_rows(tmp_path, group="thread")] == ["7", ""]
    assert [row.slice for row in read_rows(tmp_path, slice="day")] == ["2026-01-02"] * 2
    with pytest.raises(DataError, match=r"rows.parquet, row 1: 'score' is float '0.5'"):
        read_rows(tmp_path, group="score")
