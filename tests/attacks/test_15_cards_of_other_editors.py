"""A README that was saved on the Hub by another editor: one block, one kind of line end, and linted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, configure_http_backend

import hub_push
from local_hub import RunningHub
from publishing.errors import CardConflictError, LintError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.options import PushOptions
from publishing.package.parcel import pack_dataset
from publishing.push import Push, PushResult
from tests.local_hub.accounts import WRITE
from tests.publishing.package.editors import EDITORS, THEIRS


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "README.md").write_text(THEIRS, encoding="utf-8")
    (folder / "train.csv").write_text("text,label\nUp,1\n", encoding="utf-8")
    return folder


@pytest.fixture
def reader(hub: RunningHub, api: HfApi) -> Iterator[Reader]:
    yield Reader(connect(hub.endpoint, WRITE, Timeouts(10, 60)), Retries(tries=3, base=0.05, settle=0.05))
    configure_http_backend()


def push(rows: Path, repo_id: str, reader: Reader, **options: object) -> PushResult:
    parcel = pack_dataset(rows, Target(repo_id, "dataset"), rows.parent)
    return hub_push.publish(Push(parcel, PushOptions(proof="files", confirm=False, **options), reader))  # type: ignore[arg-type]


def save(api: HfApi, repo_id: str, content: bytes) -> None:
    edit = [CommitOperationAdd("README.md", content)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client finds no metadata behind a byte-order mark
        api.create_commit(repo_id, edit, commit_message="by hand", repo_type="dataset")


def test_line_ends_alone_are_no_edit(rows: Path, repo_id: str, reader: Reader, api: HfApi) -> None:
    push(rows, repo_id, reader)
    save(api, repo_id, EDITORS["Windows"](THEIRS))
    push(rows, repo_id, reader)
    there = reader.content(Target(repo_id, "dataset"), "README.md", "main")
    assert there == THEIRS.encode()


def test_an_edit_by_windows_is_merged(rows: Path, repo_id: str, reader: Reader, api: HfApi) -> None:
    push(rows, repo_id, reader)
    edited = THEIRS.replace("Their words.", "Better words.").replace("- old\n", "- old\npretty_name: 1e3\n")
    save(api, repo_id, EDITORS["Windows"](edited))
    with pytest.raises(CardConflictError, match="Better words"):
        push(rows, repo_id, reader)
    push(rows, repo_id, reader, card="merge")
    there = reader.content(Target(repo_id, "dataset"), "README.md", "main") or b""
    assert b"Better words." in there and b"\r" not in there and there.startswith(b"---\n")
    assert there.count(b"\n---") == 1 and b"pretty_name: 1000.0\n" in there


def test_what_does_not_merge_into_a_good_card_is_not_sent(
    rows: Path, repo_id: str, reader: Reader, api: HfApi
) -> None:
    push(rows, repo_id, reader)
    save(api, repo_id, THEIRS.replace("Their words.", "Words.\n\n---\nlicense: gpl\n---\n").encode())
    with pytest.raises(LintError, match=r"the merged README\.md fails its checks\n.*a second metadata block"):
        push(rows, repo_id, reader, card="merge")
    assert api.list_repo_commits(repo_id, repo_type="dataset")[0].title == "by hand"


@pytest.mark.parametrize("editor", ["a byte-order mark", "Windows", "a second block", "blank lines first"])
def test_a_card_of_ours_that_another_editor_saved_is_not_sent(
    editor: str, rows: Path, repo_id: str, reader: Reader
) -> None:
    (rows / "README.md").write_bytes(EDITORS[editor](THEIRS))
    with pytest.raises(LintError, match=r"README\.md:\d+: (start|second-block|yaml)"):
        push(rows, repo_id, reader)
