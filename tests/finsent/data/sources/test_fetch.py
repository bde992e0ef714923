from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import reset_sessions

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
