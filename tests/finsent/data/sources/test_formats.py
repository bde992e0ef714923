from __future__ import annotations

from pathlib import Path

import pytest

from finsent.data.sources.formats import FORMATS, is_table
from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("rows.csv", {"sheet": "One"}, "sheet"),
        ("rows.parquet", {"encoding": "cp1252"}, "encoding"),
        ("rows.jsonl", {"columns": ["text", "label"]}, "columns"),
        ("rows.xlsx", {"delimiter": ";"}, "delimiter"),
    ],
)
def test_a_key_that_says_nothing_of_a_format_is_refused(
    name: str, changes: dict[str, object], key: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"text,label\nUp,1\n")
    with pytest.raises(
        DataError, match=f"{name}: the source's key `{key}` does not apply to {Path(name).suffix}"
    ):
        read(make_source(tmp_path, files={"train": [name]}, **changes))


@pytest.mark.parametrize("name", ["rows", "rows.xls", "rows.csv.bz2", "rows.csv.gz.gz"])
def test_an_unknown_format_is_refused_with_those_that_are_known(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        DataError, match=rf"^{name}: got '.*'; allowed are {', '.join(FORMATS)}, each also as"
    ):
        read(make_source(tmp_path, files={"train": [name]}))


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("packed", ["", ".gz", ".zst", ".zip"])
def test_what_can_be_read_is_a_table_by_its_name(ending: str, packed: str) -> None:
    assert is_table(f"Rows{ending}{packed}".upper())


@pytest.mark.parametrize(
    "name", ["rows", "rows.md", "rows.zip", "csv", "rows.csv.gz.gz", "rows.gz.csv.txt.py"]
)
def test_what_cannot_be_read_is_none(name: str) -> None:
    assert not is_table(name)
