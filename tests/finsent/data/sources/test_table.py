from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", 'text,label\n"Profit, up",1\nNA,0\n'),
        ("rows.jsonl", '{"text": "Profit, up", "label": 1}\n{"text": "NA", "label": 0}\n'),
    ],
)
def test_tables_are_read_as_text(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    rows = read(make_source(tmp_path, files={"test": [name]}))
    assert [(row.text, row.label, row.split) for row in rows] == [
        ("Profit, up", "positive", "test"),
        ("NA", "negative", "test"),  # a text, not a missing value
    ]


MARK = "\ufeff".encode()


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("rows.csv", b"text,label\r\n", b'Up,1\r\n"Profit, down",0\r\n'),
        ("rows.csv", b'"text","label"\n', b"Up,1\n\xef\xbb\xbfDown,0\n"),
        ("rows.jsonl", b'{"text": "Up", "label": 1}\n', b'{"text": "Down", "label": 0}\n'),
        ("rows.jsonl", b'{"text": "Up", "label": 1}\r\n', b'\xef\xbb\xbf{"text": "Down", "label": 0}\r\n'),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_text(
    tmp_path: Path, name: str, first: bytes, second: bytes
) -> None:
    """Excel and Notepad write one; files that were joined have one in the middle, too."""
    for number, content in enumerate((first + second, MARK + first + second)):
        (tmp_path / f"{number}-{name}").write_bytes(content)
    plain, marked = (
        [(row.text, row.label) for row in read(make_source(tmp_path, files={"test": [f"{number}-{name}"]}))]
        for number in (0, 1)
    )
    assert marked == plain and len(plain) == 2 and "\ufeff" not in str(plain)


def test_parquet_is_read(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"text": ["Profit up"], "label": [1]}).to_parquet(tmp_path / "rows.parquet")
    assert read(make_source(tmp_path, files={"train": ["rows.parquet"]}))[0].label == "positive"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\nUp,1\nDown,7\n", r"rows.csv, line 3: unknown label '7'; s maps \['0', '1'\]"),
        (b"text,label\nUp,1\n  ,0\n", "rows.csv, line 3: the text is empty"),
        (b"headline,label\nUp,1\n", r"rows.csv: no column 'text'; it has \['headline', 'label'\]"),
        (b"text,label\nUp,1\nD\xe9j\xe0,0\n", r"rows.csv, line 3: bytes b'\\xe9j\\xe0,' are not UTF-8"),
        (b"", "rows.csv: is empty; expected a header"),
        (b"text,label\n", "no rows were read"),
        (b'text,label\n"Up,1\n', "rows.csv, line 2: a quote that starts here is never closed"),
    ],
)
def test_errors_name_file_row_and_value(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(make_source(tmp_path))


def test_a_missing_value_in_jsonl_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "Up", "label": 1}\n{"text": "Down", "label": null}\n')
    with pytest.raises(DataError, match=r"rows.jsonl, line 2: 'label' has no value"):
        read(make_source(tmp_path, files={"train": ["rows.jsonl"]}))


def test_rows_are_left_out_by_label_and_by_column_and_shown(tmp_path: Path) -> None:
    lines = ["text,label,language", *(f"Text {number},{number % 3},en" for number in range(12)), "Hoch,1,de"]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    maps = {"0": "negative", "1": "positive", "2": None}
    found = read_source(make_source(tmp_path, labels=maps, where={"language": ["en", "fr"]}), Places())
    assert len(found.rows) == 8
    assert found.left_out == {"label '2' is mapped to null": 4, "where: language is another": 1}
    assert found.examples == {
        "label '2' is mapped to null": ["Text 2", "Text 5", "Text 8"],
        "where: language is another": ["Hoch"],
    }


def test_a_row_that_is_left_out_may_be_without_text(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n,\nUp,1\n", encoding="utf-8")
    found = read_source(make_source(tmp_path, labels={"": None, "1": "positive"}), Places())
    assert (len(found.rows), found.left_out) == (1, {"label '' is mapped to null": 1})


def test_a_part_is_drawn_by_the_seed_with_labels_and_splits_in_proportion(tmp_path: Path) -> None:
    for name, count in (("a.csv", 60), ("b.csv", 30)):
        lines = ["text,label", *(f"{name} {number},{int(number % 3 == 0)}" for number in range(count))]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    source = make_source(tmp_path, files={"train": ["a.csv"], "test": ["b.csv"]}, take=45)
    found = read_source(source, Places(), seed=3)
    assert Counter((row.split, row.label) for row in found.rows) == {
        ("train", "negative"): 20, ("train", "positive"): 10,
        ("test", "negative"): 10, ("test", "positive"): 5,
    }  # fmt: skip
    assert found.left_out == {"not among the 45 drawn rows": 45}
    assert read_source(source, Places(), seed=3).rows == found.rows
    assert read_source(source, Places(), seed=4).rows != found.rows


def test_a_source_of_which_all_is_left_out_says_why(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label,language\nUp,1,en\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"s: no rows were read for \['train'\]; left out: .*language is another': 1"
    ):
        read(make_source(tmp_path, where={"language": ["EN"]}))
    with pytest.raises(DataError, match=r"rows.csv: no column 'tongue'"):
        read(make_source(tmp_path, where={"tongue": ["en"]}))
