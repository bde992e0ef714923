from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from publishing.errors import PublishError
from publishing.hub.connection import Connection
from publishing.hub.remote import LastPush, Reader, Remote, RemoteFile, Target
from publishing.hub.retries import Retries
from publishing.package.changes import Action, FileChange
from publishing.package.commit_message import commit_title
from publishing.package.manifest import Manifest, digest
from publishing.package.parcel import Parcel, pack_dataset, pack_release
from publishing.plan import Plan, make_plan

HEAD, NOWHERE = "a" * 40, "http://127.0.0.1:9"


class Shelf(Reader):
    """A reader of what stands in a manifest, for a Hub that nobody asks."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(Connection(NOWHERE, HfApi(NOWHERE), "a test", "hf_x"), Retries(tries=1))
        object.__setattr__(self, "manifest", manifest)

    def content(self, target: Target, path: str, revision: str) -> bytes | None:
        assert revision == HEAD
        return self.manifest.content(path)  # type: ignore[attr-defined, no-any-return]


def published(parcel: Parcel, **tags: str) -> Remote:
    files = {
        path: RemoteFile(path, file.size, file.git_sha1, file.sha256)
        for path, file in parcel.manifest.files.items()
    }
    last = LastPush(HEAD, "1", digest(parcel.manifest.content("README.md")), "ours")
    return Remote(parcel.target, HEAD, files, tags, last)


@pytest.fixture
def rows(tmp_path: Path) -> Parcel:
    """A data set of two files, and ten that are none of it."""
    folder = tmp_path / "rows"
    folder.mkdir()
    for name in ("README.md", "train.csv", *(f"{number}.py" for number in range(10))):
        (folder / name).write_text("x\n", encoding="utf-8")
    return pack_dataset(folder, Target("ann/rows", "dataset"), tmp_path)


def plan_of(parcel: Parcel, remote: Remote, tag: str | None = None) -> Plan:
    return make_plan(parcel, remote, Shelf(parcel.manifest), None, tag)[0]


def test_a_first_push_adds_everything_and_tells_what_stays_behind(rows: Parcel) -> None:
    plan = plan_of(rows, Remote(rows.target), "v1.0.0")
    assert [(file.path, file.action) for file in plan.files] == [("README.md", "add"), ("train.csv", "add")]
    assert (plan.parent, plan.tag, plan.card, plan.bytes_to_send) == (None, "v1.0.0", "ours", 4)
    assert plan.title == "Publish rows: 2 files" and not plan.is_empty and plan.figures == ()
    (warning,) = plan.warnings
    assert warning.startswith("not sent, because these are not files of a data set: 0.py, 1.py, ")
    assert warning.endswith(" and 2 more")


def test_what_stands_there_already_is_an_empty_plan(rows: Parcel) -> None:
    plan = plan_of(rows, published(rows), None)
    assert plan.is_empty and plan.bytes_to_send == 0 and {one.action for one in plan.files} == {"same"}


def test_a_tag_that_is_taken_is_told_only_where_something_changes(tiny_release: Path) -> None:
    parcel = pack_release(tiny_release.parent, Target("finsent/tiny"), None)
    remote = published(parcel, **{"v0.1.0": HEAD})
    same = plan_of(parcel, remote, "v0.1.0")
    assert same.is_empty and same.tag is None and same.notes == ()
    worded = replace(parcel, manifest=parcel.manifest.replace("README.md", b"other words\n"))
    plan, _, decision = make_plan(worded, remote, Shelf(parcel.manifest), "ours", "v0.1.0")
    assert decision.choice == "ours" and plan.tag is None
    assert plan.notes == (f"v0.1.0 stays on {HEAD[:8]}, where the weights are: only words change",)
    assert plan.figures and all(one.before == one.after for one in plan.figures)
    changed = replace(parcel, manifest=parcel.manifest.replace("config.json", b"{}"))
    with pytest.raises(PublishError, match=r"v0\.1\.0 is published already.*files differ \(config\.json\)"):
        make_plan(changed, remote, Shelf(parcel.manifest), None, "v0.1.0")


@pytest.mark.parametrize(
    ("actions", "title"),
    [
        (["change"], "Update x 1.0: 0"),
        (["add", "same", "delete"], "Update x 1.0: 0, 2"),
        (["add", "change", "change", "delete", "keep"], "Update x 1.0: 1 added, 2 changed, 1 deleted"),
        (["change", "change", "change"], "Update x 1.0: 3 changed"),
    ],
)
def test_a_title_says_what_the_commit_does(actions: list[Action], title: str) -> None:
    changes = tuple(FileChange(path=str(i), action=one, size=1) for i, one in enumerate(actions))
    assert commit_title(Target("ann/x"), changes, "1.0", first=False) == title
