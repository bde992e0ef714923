from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import reset_sessions

from finsent import REPOSITORY
from finsent.data.sources.fetch import Places, fetch_files
from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read


def test_a_missing_file_and_a_wrong_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.csv does not exist"):
        read(make_source(tmp_path))
    (tmp_path / "rows.xls").write_text("")
    with pytest.raises(DataError, match=r"got '.xls'; allowed are .csv, .tsv, .txt, .json, .jsonl"):
        read(make_source(tmp_path, files={"train": ["rows.xls"]}))


def test_the_mirror_stands_before_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "datasets" / "owner" / "name"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("text,label\nUp,1\n")
    assert read(make_source(tmp_path, hub="owner/name"), tmp_path)[0].text == "Up"


def test_files_lie_beside_the_recipe_or_in_the_repository(tmp_path: Path) -> None:
    source = make_source(tmp_path, path="data/headlines", files={"train": ["train.csv"]})
    assert fetch_files(source, "train.csv", Places(home=tmp_path)) == [
        REPOSITORY / "data/headlines/train.csv"
    ]
    beside = tmp_path / "data" / "headlines" / "train.csv"
    beside.parent.mkdir(parents=True)
    beside.write_text("text,label\n")
    assert fetch_files(source, "train.csv", Places(home=tmp_path)) == [beside]
    with pytest.raises(DataError) as caught:
        fetch_files(source, "rows.csv", Places(home=tmp_path))
    told = f"{beside.parent / 'rows.csv'} and {REPOSITORY / 'data/headlines/rows.csv'} does not exist"
    assert str(caught.value) == f"s: {told}"


def test_a_pattern_stands_for_all_files_that_are_like_it(tmp_path: Path) -> None:
    for name in ("b-1.csv", "b-2.csv", "c-1.csv", "b-[1].csv"):
        (tmp_path / name).write_text(f"text,label\n{name},1\n")
    found = [row.text for row in read(make_source(tmp_path, files={"train": ["b-?.csv", "c*"]}))]
    assert found == ["b-1.csv", "b-2.csv", "c-1.csv"]
    assert [row.text for row in read(make_source(tmp_path, files={"train": ["b-[1].csv"]}))] == ["b-[1].csv"]
    with pytest.raises(DataError, match=r"d\*\.csv does not exist"):
        read(make_source(tmp_path, files={"train": ["d*.csv"]}))


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
