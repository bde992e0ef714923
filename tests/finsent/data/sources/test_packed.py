from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pyarrow
import pytest

from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

CONTENT = b"text,label\nUp,1\nDown,0\n"


def pack(path: Path, content: bytes = CONTENT) -> None:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        path.write_bytes(gzip.compress(content[:9]) + gzip.compress(content[9:]))  # joined, as `cat` does
    elif suffix == ".zst":
        with pyarrow.CompressedOutputStream(str(path), "zstd") as file:
            file.write(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("__MACOSX/._rows.csv", b"\x00")
            archive.writestr("data/rows.csv", content)


@pytest.mark.parametrize("name", ["rows.csv.gz", "ROWS.CSV.GZ", "rows.csv.zst", "rows.zip"])
def test_packed_files_give_the_same_rows(name: str, tmp_path: Path) -> None:
    pack(tmp_path / name)
    assert [row.text for row in read(make_source(tmp_path, files={"train": [name]}))] == ["Up", "Down"]


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv.zst", "rows.zip"])
@pytest.mark.parametrize("kept", [3, 30, -9])
def test_a_file_that_is_cut_off_is_named(name: str, kept: int, tmp_path: Path) -> None:
    pack(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:kept])
    with pytest.raises(DataError, match=rf"^{name}.*: cannot be (read|unpacked): \S"):
        read(make_source(tmp_path, files={"train": [name]}))


def test_a_member_is_named_where_a_zip_has_several(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("a.csv", CONTENT)
        archive.writestr("b.jsonl", b'{"text": "Flat", "label": 0}\n')
    files = {"train": ["rows.zip"]}
    with pytest.raises(
        DataError, match=r"rows.zip: has several files; choose one .*`member`.*'a.csv', 'b.jsonl'"
    ):
        read(make_source(tmp_path, files=files))
    with pytest.raises(DataError, match=r"rows.zip: has no file 'c.csv'; choose another"):
        read(make_source(tmp_path, files=files, member="c.csv"))
    assert [row.text for row in read(make_source(tmp_path, files=files, member="b.jsonl"))] == ["Flat"]


def test_an_error_in_a_member_names_both(tmp_path: Path) -> None:
    pack(tmp_path / "rows.zip", b"text,label\nUp,7\n")
    with pytest.raises(DataError, match=r"^rows.zip/data/rows.csv, line 2: unknown label '7'"):
        read(make_source(tmp_path, files={"train": ["rows.zip"]}))


def test_a_member_of_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(CONTENT)
    with pytest.raises(DataError, match=r"rows.csv: is not a .zip; leave `member: a.csv` out"):
        read(make_source(tmp_path, member="a.csv"))
