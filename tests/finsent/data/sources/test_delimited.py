from __future__ import annotations

from pathlib import Path

import pytest

from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

Rows = list[tuple[str, str]]


def rows(folder: Path, content: str, name: str = "rows.csv", **changes: object) -> Rows:
    (folder / name).write_bytes(content.encode())
    found = read(make_source(folder, **{"files": {"train": [name]}} | changes))
    return [(row.text, row.label) for row in found]


@pytest.mark.parametrize(
    ("name", "content", "changes"),
    [
        ("rows.tsv", "text\tlabel\nUp, up\t1\n", {}),
        ("rows.txt", "text\tlabel\nUp, up\t1\n", {}),
        ("rows.CSV", 'text,label\n"Up, up",1\n', {}),
        ("rows.csv", "text;label\nUp, up;1\n", {"delimiter": ";"}),
        ("rows.txt", "text|label\nUp, up|1\n", {"delimiter": "|"}),
        ("rows.csv", '"Up, up",1\n', {"columns": ["text", "label"]}),
        ("rows.tsv", "1\tUp, up\n", {"columns": ["label", "text"]}),
        ("rows.csv", 'id,text,label,\n4,"Up, up",1,\n', {}),
        ("rows.csv", ',text,label\n0,"Up, up",1\n', {}),
    ],
)
def test_delimiters_headers_and_endings(
    name: str, content: str, changes: dict[str, object], tmp_path: Path
) -> None:
    assert rows(tmp_path, content, name, **changes) == [("Up, up", "positive")]


@pytest.mark.parametrize(
    ("quoting", "cell", "text"),
    [
        ("doubled", '"a ""b"" c"', 'a "b" c'),
        ("doubled", 'a "b" c', 'a "b" c'),
        ("backslash", r'"a \"b\" c"', 'a "b" c'),
        ("none", '"a b', '"a b'),
        ("none", '"a b"', '"a b"'),
    ],
)
def test_quotes_are_read_as_the_source_says(quoting: str, cell: str, text: str, tmp_path: Path) -> None:
    assert rows(tmp_path, f"text\tlabel\n{cell}\t1\n", "rows.tsv", quoting=quoting) == [(text, "positive")]


def test_a_text_of_several_lines_counts_by_its_first(tmp_path: Path) -> None:
    content = 'text,label\n"One,\ntwo, three",1\n\n"Four",9\n'
    with pytest.raises(DataError, match=r"^rows.csv, line 5: unknown label '9'"):
        rows(tmp_path, content)
    assert rows(tmp_path, content.replace("9", "0"))[0] == ("One,\ntwo, three", "positive")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "text,label\nUp,1\nDown\n",
            r"line 3: got 1 cells, expected 2 \['text', 'label'\]; add the missing cells",
        ),
        (
            "text,label\nUp,1\n\nUp, up,1\n",
            r"line 4: got 3 cells, expected 2 .*put cells that contain ',' in quotes",
        ),
        ("text,label\nUp,1,\n", "line 2: got 3 cells"),
        ("text,label\n   \n", "line 2: got 1 cells"),
        ("text;label\nUp;1\n", r"no column 'text'; it has \['text;label'\]"),
        ("text,label,text\nUp,1,Down\n", "has the column 'text' 2 times; rename all but one"),
        ("text,label,label\nUp,1,0\n", "has the column 'label' 2 times"),
        ("text,label\nUp,\n", "line 2: the label is empty; s maps"),
        ("text,label\n,1\n", "line 2: the text is empty"),
        (
            'text,label\nUp,1\n"Down,0\nFlat,1\n',
            "line 3: a quote that starts here is never closed.*`quoting: none`",
        ),
        ('text,label\n"Up" and on,1\n', "line 2: a quoted cell continues after its closing quote"),
        (
            'text,label\n"Up,1\nDown,0\nsaid ""so""",1\n',
            "lines 2 to 4: one quoted cell contains .* whole rows",
        ),
        ('text,label\n"Up,1\nDown,0\nwho said "no",1\n', "line 2: a quoted cell continues"),
        ("\n\n", "is empty; expected a header"),
        (f'text,label\n"{"long " * 2_100_000}",1\n', "line 2: a quote that starts here is never closed"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^rows.csv.*{message}"):
        rows(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        'label,text\n1,"Up\n0,Down\n1,Flat"\n',
        'id,label,text\n1,1,"Up\n2,0,Down\n3,1,Flat"\n',
        'id,label,text,note\n1,1,Up,"so\n2,0,Down,\n3,1,Flat,"\n',
    ],
)
def test_rows_inside_a_quote_are_found_wherever_the_label_is(content: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^rows.csv, lines 2 to 4: one quoted cell contains .* `quoting: none`"
    ):
        rows(tmp_path, content)


def test_sentences_in_several_lines_are_no_rows(tmp_path: Path) -> None:
    maps = {"labels": {"good": "positive", "bad": "negative"}}
    text = "Food: good\ngood, really\nNot bad, not good"
    assert rows(tmp_path, f'label,text\ngood,"{text}"\n', **maps) == [(text, "positive")]
    assert rows(tmp_path, f'text,label\n"{text}",bad\n', **maps) == [(text, "negative")]


def test_a_whole_number_with_a_point_is_that_number(tmp_path: Path) -> None:
    assert rows(tmp_path, "text,label\nUp,1.0\n") == [("Up", "positive")]
    with pytest.raises(DataError, match=r"unknown label '1\.5'"):
        rows(tmp_path, "text,label\nUp,1.5\n")
