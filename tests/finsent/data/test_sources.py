from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import reset_sessions
from pydantic import TypeAdapter

from finsent.data.sources import Row, mend_phrasebank, mirror_from_environment, read_source
from finsent.errors import DataError
from finsent.recipe.recipe import Source

COMMON = {"name": "s", "title": "S", "licence": "mit", "files": {"train": ["rows.csv"]}}
LABELS = {"labels": {"0": "negative", "1": "positive"}}


def make_source(folder: Path, kind: str = "table", **changes: object) -> Source:
    place = {} if "hub" in changes else {"path": str(folder)}
    tree = {"kind": kind, **COMMON, **LABELS, **place, **changes}
    source: Source = TypeAdapter(Source).validate_python(tree)
    return source


def read(source: Source, mirror: Path | None = None) -> list[Row]:
    return read_source(source, mirror).rows


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


def test_parquet_is_read(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"text": ["Profit up"], "label": [1]}).to_parquet(tmp_path / "rows.parquet")
    assert read(make_source(tmp_path, files={"train": ["rows.parquet"]}))[0].label == "positive"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\nUp,1\nDown,7\n", r"rows.csv, row 2: unknown label '7'; s maps \['0', '1'\]"),
        (b"text,label\nUp,1\n  ,0\n", "rows.csv, row 2: the text is empty"),
        (b"headline,label\nUp,1\n", r"rows.csv: no column 'text'; it has \['headline', 'label'\]"),
        (b"text,label\nUp,1\nD\xe9j\xe0,0\n", r"rows.csv, row 2: bytes b'\\xe9j\\xe0,' are not UTF-8"),
        (b"", "rows.csv: cannot be read"),
        (b"text,label\n", "no row was read"),
        (b'text,label\n"Up,1\n', "rows.csv: cannot be read"),
    ],
)
def test_errors_name_file_row_and_value(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(make_source(tmp_path))


def test_a_missing_value_in_jsonl_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "Up", "label": 1}\n{"text": "Down", "label": null}\n')
    with pytest.raises(DataError, match=r"rows.jsonl, row 2: 'label' has no value"):
        read(make_source(tmp_path, files={"train": ["rows.jsonl"]}))


def test_a_missing_file_and_a_wrong_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.csv does not exist"):
        read(make_source(tmp_path))
    (tmp_path / "rows.xls").write_text("")
    with pytest.raises(DataError, match=r"got '.xls'; allowed are .csv, .jsonl and .parquet"):
        read(make_source(tmp_path, files={"train": ["rows.xls"]}))


def test_the_mirror_stands_before_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "datasets" / "owner" / "name"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("text,label\nUp,1\n")
    assert read(make_source(tmp_path, hub="owner/name"), tmp_path)[0].text == "Up"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client keeps its session, and with it whether that may reach anything."""
    with monkeypatch.context() as patched:
        patched.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        reset_sessions()
        yield
    reset_sessions()


@pytest.mark.usefixtures("no_network")
def test_an_unreachable_hub_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"s: cannot fetch rows.csv of owner/name .*set FINSENT_MIRROR"):
        read(make_source(tmp_path, hub="owner/name"))


def test_a_wrong_mirror_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINSENT_MIRROR", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"FINSENT_MIRROR: .* is not a folder"):
        mirror_from_environment()
    monkeypatch.delenv("FINSENT_MIRROR")
    assert mirror_from_environment() is None


def write_phrasebank(folder: Path, levels: dict[str, list[str]]) -> None:
    with zipfile.ZipFile(folder / "bank.zip", "w") as archive:
        for level, lines in levels.items():
            data = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
            archive.writestr(f"FinancialPhraseBank-v1.0/Sentences_{level}Agree.txt", data)


def phrasebank(folder: Path) -> Source:
    files = {"train": ["bank.zip"]}
    return make_source(folder, "phrasebank", files=files, labels={"up": "positive", "down": "negative"})


def test_the_phrasebank_gives_agreement_and_mends_letters(tmp_path: Path) -> None:
    sure, unsure = "Sepp+ñl+ñ mail: a@b gained@up", "Orders sank@down"
    write_phrasebank(tmp_path, {"50": [sure, unsure], "66": [sure], "75": [sure], "All": [sure]})
    rows = read(phrasebank(tmp_path))
    assert [(row.text, row.label, row.slice) for row in rows] == [
        ("Seppälä mail: a@b gained", "positive", "agreement_all"),
        ("Orders sank", "negative", "agreement_50"),
    ]


def test_the_share_of_annotators_comes_from_the_recipe(tmp_path: Path) -> None:
    sure, unsure = "Sales rose@up", "Sales were seen@up"
    write_phrasebank(tmp_path, {"50": [sure, unsure], "66": [sure], "75": [sure], "All": [sure]})
    shared = phrasebank(tmp_path).model_copy(update={"shares": {"50": 0.6}})
    assert [row.share for row in read(shared)] == [1.0, 0.6]


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"50": ["no label here"], "66": [], "75": [], "All": []}, "row 1: no '@label'"),
        ({"50": []}, "Sentences_66"),
    ],
)
def test_a_broken_phrasebank_is_named(tmp_path: Path, levels: dict[str, list[str]], message: str) -> None:
    write_phrasebank(tmp_path, levels)
    with pytest.raises(DataError, match=message):
        read(phrasebank(tmp_path))


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("Sepp+ñl+ñ", "Seppälä"),
        ("EUR 5-7 mn", "EUR 5-7 mn"),
        ("a +20 % rise", "a +20 % rise"),
        ("x +€", "x +€"),
    ],
)
def test_letters_are_mended_and_signs_stay(broken: str, mended: str) -> None:
    assert mend_phrasebank(broken) == mended


def test_entities_that_disagree_or_do_not_parse_are_counted(tmp_path: Path) -> None:
    lines = [
        "Title,Decisions",
        "\"A and B gain\",\"{'A': '1', 'B': '1'}\"",
        "\"A gains, B falls\",\"{'A': '1', 'B': '0'}\"",
        "\"C's loss\",\"{'C's': '0'}\"",
        '"Nobody",{}',
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_source(make_source(tmp_path, "entities"), None)
    assert [(row.text, row.label) for row in found.rows] == [("A and B gain", "positive")]
    assert found.left_out == {"entities disagree": 1, "entity dict does not parse": 2}
