from __future__ import annotations

import pytest

from finsent.data.tables.layout import HEAD, Layout, guess_layout
from finsent.errors import DataError

ROWS = [("Déjà vu, said he", "old"), ("A new day; 3 | 4", "new"), ("Nothing", "old"), ("It came late", "new")]


def layout(content: str | bytes, usual: str = ",") -> Layout:
    return guess_layout(content if isinstance(content, bytes) else content.encode(), "rows.csv", usual)


def csv_text(delimiter: str = ",", header: str = "text{}label\n", quote: str = '"') -> str:
    rows = "".join(f"{quote}{text}{quote}{delimiter}{label}\n" for text, label in ROWS * 5)
    return header.format(delimiter) + rows


def test_a_plain_file_needs_no_key() -> None:
    found = layout(csv_text())
    assert (found.names, found.keys) == (["text", "label"], {})
    assert layout(csv_text("\t"), usual="\t").keys == {}


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_the_delimiter_is_the_one_that_gives_equal_rows(delimiter: str) -> None:
    found = layout(csv_text(delimiter))
    assert found.keys == {"delimiter": delimiter} and found.names == ["text", "label"]
    assert "2 cells" in found.reasons["delimiter"]


def test_a_file_without_a_header_gets_names() -> None:
    found = layout(csv_text(header=""))
    assert found.keys == {"columns": ["column_1", "column_2"]}
    assert found.names == ["column_1", "column_2"]


@pytest.mark.parametrize(
    "header", ["body,kind\n", ",body,kind\n", "Text,Label\n"]
)  # the second is how pandas writes its index
def test_a_header_is_known_by_its_words_or_its_length(header: str) -> None:
    index = header.startswith(",")
    rows = "".join(
        f'{f"{n}," if index else ""}"{text}",{label}\n' for n, (text, label) in enumerate(ROWS * 3)
    )
    found = layout(header + rows)
    assert "columns" not in found.keys and found.names == header.strip().split(",")


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252")]
)
def test_the_encoding_is_seen(encoding: str, told: str | None) -> None:
    content = "text,label\n" + "".join(
        f'"Größe und Qualität sind schön, für {n} € täglich „gut“",gut\n"Das Café müsste größer sein",böse\n'
        for n in range(30)
    )
    found = layout(content.encode(encoding))
    assert found.names == ["text", "label"]
    assert _same_letters(found.keys.get("encoding"), told, content)


def _same_letters(found: str | None, told: str | None, content: str) -> bool:
    """Encodings with other names may give the same letters."""
    if found is None or told is None:
        return found == told
    return content.encode(told).decode(found) == content


def test_a_few_letters_are_too_few_to_guess_an_encoding() -> None:
    rows = (
        "text,label\n"
        + "what a long and plain line this is,old\nand another one,new\n" * 40
        + "a naïve café,old\n"
    )
    assert layout(rows.encode("cp1252")).keys == {"encoding": "cp1252"}


def test_quotes_are_letters_where_they_do_not_close() -> None:
    rows = ['ham\t"Free" is what I like\n', 'spam\t"win a prize now, text YES\n', "ham\tsee you, tonight\n"]
    found = layout("".join(rows * 9), usual="\t")
    assert found.keys["quoting"] == "none" and found.keys["columns"] == ["column_1", "column_2"]


def test_quotes_may_be_written_with_a_backslash() -> None:
    rows = "text,label\n" + '"He said \\"no\\", then left",old\n"Yes, we can",new\n' * 9
    assert layout(rows).keys == {"quoting": "backslash"}


def test_line_breaks_in_quotes_are_no_rows() -> None:
    rows = "text,label\n" + '"One line,\nand another",old\n"Yes, we can",new\n' * 9
    assert layout(rows).keys == {}


def test_a_row_that_the_head_cuts_off_says_nothing() -> None:
    content = csv_text() * (HEAD // len(csv_text()) + 2)
    cut = content.encode()[:HEAD]
    assert layout(cut).keys == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\nonly one\ncolumn here\n", "rows.csv: has one column"),
        (b"\x89PNG\x00\x01\xff\xfe\x00\x02", "are not text in any known encoding"),
        (b"", "rows.csv: has one column"),
    ],
)
def test_what_is_no_table_is_said(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        layout(content)
