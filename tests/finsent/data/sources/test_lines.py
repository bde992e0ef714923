from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

ROWS = "text,label\nZürich steigt – stark,1\n"


def texts(folder: Path, content: bytes, **changes: object) -> list[str]:
    (folder / "rows.csv").write_bytes(content)
    return [row.text for row in read(make_source(folder, **changes))]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding: str, tmp_path: Path) -> None:
    assert texts(tmp_path, ROWS.encode(encoding)) == ["Zürich steigt – stark"]


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")]
)
def test_a_mark_of_the_other_byte_order_is_read(mark: bytes, encoding: str, tmp_path: Path) -> None:
    assert texts(tmp_path, mark + ROWS.encode(encoding)) == ["Zürich steigt – stark"]


def test_joined_utf16_has_marks_inside(tmp_path: Path) -> None:
    content = ROWS.encode("utf-16") + "Öl fällt,0\n".encode("utf-16")
    assert texts(tmp_path, content) == ["Zürich steigt – stark", "Öl fällt"]


@pytest.mark.parametrize("name", ["rows.tsv", "rows.jsonl", "rows.json"])
def test_a_mark_in_any_text_format_is_no_part_of_it(name: str, tmp_path: Path) -> None:
    rows = {
        "rows.tsv": ["text\tlabel\n", "Up\t1\n", "Down\t0\n"],
        "rows.jsonl": ['{"text": "Up", "label": 1}\n', '{"text": "Down", "label": 0}\n'],
        "rows.json": ['[{"text": "Up", "label": 1},\n', '{"text": "Down", "label": 0}]\n'],
    }[name]
    (tmp_path / name).write_bytes("".join(f"\ufeff{line}" for line in rows).encode())
    assert [row.text for row in read(make_source(tmp_path, files={"train": [name]}))] == ["Up", "Down"]


def test_another_encoding_is_named_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"rows.csv, line 2: bytes b'\\xfcric' are not UTF-8; save .* `encoding`"
    ):
        texts(tmp_path, ROWS.encode("cp1252"))
    assert texts(tmp_path, ROWS.encode("cp1252"), encoding="cp1252") == ["Zürich steigt – stark"]
    assert texts(tmp_path, ROWS.encode("utf-16-be"), encoding="utf-16-be") == ["Zürich steigt – stark"]
    chinese = "text,label\n股价上涨,1\n"
    assert texts(tmp_path, chinese.encode("gb18030"), encoding="gb18030") == ["股价上涨"]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (
            ROWS.encode() + "Öl fällt,0\n".encode("cp1252"),
            "utf-8",
            r"line 3: bytes b'\\xd6l f' are not UTF-8",
        ),
        (ROWS.encode("cp1252") + "Öl fällt,0\n".encode(), "cp1252", "line 3: .* is UTF-8, read as cp1252"),
        (ROWS.encode(), "cp1252", "line 2: .* is UTF-8, read as cp1252; leave `encoding` out"),
        (b"text,label\nCaf\xc3\xa9,1\n", "latin-1", "line 2: .* is UTF-8"),
        ("text,label\nприбыль растёт,1\n".encode(), "cp1251", "line 2: .* is UTF-8"),
        (ROWS.encode("cp1252"), "latin-1", r"line 2: byte b'\\x96' is not a letter in iso8859-1.*cp1252"),
        (b"text,label\n\x81,1\n", "cp1252", r"line 2: bytes b'\\x81,1\\n' are not cp1252"),
        (ROWS.encode("utf-16-le"), "utf-8", "line 1: has a NUL byte.*utf-16-le"),
        (b"text,label\nUp\0,1\n", "utf-8", "line 2: has a NUL byte"),
        (ROWS.encode("utf-16")[:-1], "utf-8", "is not UTF-16 .truncated data"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", "utf-8", "is not UTF-16 .*surrogate"),
    ],
)
def test_text_in_an_encoding_that_it_is_not_is_refused(
    content: bytes, encoding: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"^rows.csv.*{message}"):
        texts(tmp_path, content, encoding=encoding)


def test_a_quotation_mark_behind_a_capital_is_no_utf8(tmp_path: Path) -> None:
    content = "text,label\n«CAFÉ»,1\n".encode("cp1252")
    assert texts(tmp_path, content, encoding="cp1252") == ["«CAFÉ»"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(end: str, tmp_path: Path) -> None:
    assert texts(tmp_path, f"text,label{end}Up,1{end}{end}Down,0".encode()) == ["Up", "Down"]


def test_a_letter_cut_by_a_buffer_is_whole(tmp_path: Path) -> None:
    long = "ü" * 70_001
    assert texts(tmp_path, f"text,label\na{long},1\n".encode()) == [f"a{long}"]


def test_lines_that_are_utf8_in_a_file_that_is_not_are_read_as_that_where_the_recipe_says_so(
    tmp_path: Path,
) -> None:
    content = b"text,label\n" + "Café,1\n".encode("latin-1") + "Öl fällt – 株,0\n".encode()
    assert texts(tmp_path, content, encoding="latin-1", mixed_encodings=True) == ["Café", "Öl fällt – 株"]
