from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from publishing.draft import Draft, find_proposal, is_published, tag_name
from publishing.hub.remote import Reader, Remote, Target
from publishing.options import PushOptions
from publishing.package.card_merge import CardDecision
from publishing.package.changes import FileChange
from publishing.package.manifest import Manifest, from_bytes
from publishing.package.parcel import Parcel
from publishing.plan import Plan
from publishing.space.address import SpaceOptions
from publishing.space.forms import Subject
from tests.publishing.test_receipt import OF_0_1_0, write

HEAD, REPO = OF_0_1_0["commit"], OF_0_1_0["repo_id"]
CARD = from_bytes("README.md", b"# card\n")
QUICKLY = PushOptions(proof="files")


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    return Parcel(tmp_path, tmp_path, Target(REPO), Manifest("model", {"README.md": CARD}), "0.1.0", None)


def make_draft(*changes: FileChange, tag: str | None = None, space: Plan | None = None) -> Draft:
    plan = Plan(
        repo_id=REPO, repo_type="model", revision="main", parent=HEAD, files=changes, tag=tag, title="",
        card="ours",
    )  # fmt: skip
    manifest = Manifest("model", {"README.md": CARD})
    return Draft(plan, manifest, CardDecision("ours", False, None), Remote(Target(REPO), HEAD), space)


CHANGE = FileChange(path="README.md", action="change", size=1)


def test_a_head_that_was_published_and_proved_is_done(parcel: Parcel) -> None:
    write(parcel.run)
    assert is_published(make_draft(), parcel, QUICKLY)
    assert not is_published(make_draft(CHANGE), parcel, QUICKLY)
    assert not is_published(make_draft(tag="v0.1.0"), parcel, QUICKLY)
    assert not is_published(make_draft(space=make_draft(CHANGE).plan), parcel, QUICKLY)


@pytest.mark.parametrize(
    "changes",
    [{"commit": "7" * 40}, {"state": "failed"}, {"state": "interrupted"}, {"checks": []}, {"repo_id": "a/b"}],
)
def test_another_commit_a_failure_or_no_proof_is_not(parcel: Parcel, changes: dict[str, Any]) -> None:
    write(parcel.run, **changes)
    assert not is_published(make_draft(), parcel, QUICKLY)


def test_a_deeper_proof_or_a_space_that_was_not_asked_for_before_is_still_to_do(parcel: Parcel) -> None:
    write(parcel.run, space=None)
    assert is_published(make_draft(), parcel, QUICKLY)
    assert not is_published(make_draft(), parcel, PushOptions(proof="load"))
    shown = SpaceOptions(f"{REPO}-demo", "auto", Subject(REPO, "t", "s", None), parcel.run)
    assert not is_published(make_draft(), parcel, PushOptions(proof="files", space=shown))


def test_a_handler_that_no_receipt_tells_of_is_still_to_prove(parcel: Parcel) -> None:
    write(parcel.run, checks=[{"name": name, "state": "ok"} for name in ("files", "load", "card")])
    fully = PushOptions(proof="full")
    draft = make_draft()
    assert is_published(draft, parcel, fully)  # an older release has none, and is proved as it was
    manifest = draft.manifest.replace("handler.py", b"x")
    assert not is_published(replace(draft, manifest=manifest), parcel, fully)


def test_a_receipt_of_another_commit_hides_none_before_it(parcel: Parcel) -> None:
    write(parcel.run)
    write(parcel.run, created="2026-11-23T00-00-00.000000Z", commit="7" * 40, state="failed")
    assert is_published(make_draft(), parcel, QUICKLY)


class Discussions:
    """A Hub on which these pull requests wait."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def is_open(self, target: Target, number: int) -> bool:
        return number in self.numbers


def test_a_pull_request_that_waits_with_the_very_files_is_found(parcel: Parcel) -> None:
    files = [{"path": "README.md", "size": CARD.size, "sha256": CARD.sha256}]
    write(parcel.run, pull_request=3, files=files)
    write(parcel.run, created="2026-11-23T00-00-00.000000Z", pull_request=4)  # of other files
    draft = make_draft(CHANGE)
    assert find_proposal(draft, parcel, cast("Reader", Discussions(3, 4))) == 3
    assert find_proposal(draft, parcel, cast("Reader", Discussions(4))) is None


def test_a_pull_request_and_another_branch_get_no_tag(parcel: Parcel) -> None:
    assert tag_name(parcel, PushOptions()) == "v0.1.0"
    assert (
        tag_name(parcel, PushOptions(tag=False)) is tag_name(parcel, PushOptions(pull_request=True)) is None
    )
