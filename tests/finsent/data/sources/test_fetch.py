from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.utils import reset_sessions

from finsent import REPOSITORY
from finsent.data.sources.fetch import Places, fetch_files
from finsent.environment import environment_in
from finsent.errors import DataError
from local_hub import HubSettings, running_hub
from tests.finsent.data.sources.samples import make_source, read
from tests.local_hub.accounts import GRANTS, WRITE


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
    assert str(caught.value) == f"s: {beside.parent / 'rows.csv'} does not exist"
    with pytest.raises(
        DataError, match=f"s: {tmp_path}/none/a.csv and {REPOSITORY}/none/a.csv does not exist"
    ):
        fetch_files(make_source(tmp_path, path="none"), "a.csv", Places(home=tmp_path))


READ = """
import sys
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from tests.local_hub.accounts import GRANTS, WRITE
from tests.finsent.data.sources.samples import make_source
from pathlib import Path
for how in ({"files": {"train": ["rows/*.jsonl"]}}, {"files": {}, "splits": {"test": "train"}}):
    rows = read_source(make_source(Path(), hub="ann/rows", **how), Places()).rows
    print(sorted((row.text, row.label, row.split) for row in rows))
"""


def test_files_by_pattern_and_splits_come_from_a_hub(tmp_path: Path) -> None:
    """In a process of its own, as the clients read the Hub's address when they are imported."""
    with (
        running_hub(HubSettings(tmp_path / "hub", tokens=GRANTS)) as hub,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
        api = HfApi(endpoint=hub.endpoint, token=WRITE)
        api.create_repo("ann/rows", repo_type="dataset")
        lines = {"a": b'{"text": "Up", "label": 1}\n', "b": b'{"text": "Down", "label": 0}\n'}
        files = [CommitOperationAdd(f"rows/{name}.jsonl", line) for name, line in lines.items()]
        api.create_commit("ann/rows", files, commit_message="rows", repo_type="dataset")
        environment = environment_in(tmp_path, hub.endpoint) | {"HF_ENDPOINT": hub.endpoint}
        done = subprocess.run(
            [sys.executable, "-c", READ],
            env=environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
    expected = [[("Down", "negative", split), ("Up", "positive", split)] for split in ("train", "test")]
    assert done.stdout.splitlines() == [str(one) for one in expected], done.stderr


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
