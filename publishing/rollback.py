"""Undoing a publication: the tree of the commit before it, as a new commit; history only grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from finsent.release import CONFIG
from publishing.errors import PublishError
from publishing.manifest import README
from publishing.proof import digest
from publishing.receipt import Receipt
from publishing.remote import Reader, Remote, Target, trailers
from publishing.transfer import Committed, Sender


@dataclass(frozen=True)
class WayBack:
    """What stands now and what stood before the push that is undone."""

    target: Target
    now: Remote
    before: Remote


def find_way_back(receipt: Receipt, reader: Reader) -> WayBack:
    """Return what is to be restored.

    PublishError when somebody committed since, for that would be undone too, or when nothing stood before.
    """
    target = reader.current(Target(receipt.repo_id, receipt.repo_type, receipt.revision))  # type: ignore[arg-type]
    if receipt.pull_request is not None:
        raise PublishError(
            f"{target}: the receipt tells of pull request {receipt.pull_request}, which changed nothing here "
            "yet; close it on the Hub"
        )
    if receipt.commit is None or receipt.commit == receipt.parent or receipt.parent is None:
        raise PublishError("this receipt tells of no commit, so there is nothing to undo")
    now = reader.read(target)
    if now.head != receipt.commit:
        raise PublishError(
            f"{target}: is at {str(now.head)[:8]}, the receipt tells of {receipt.commit[:8]}; going back "
            "would undo what came after it, so give the receipt of the newest push"
        )
    before = reader.read(Target(target.repo_id, target.repo_type, receipt.parent))
    if not set(before.files) - {".gitattributes"} or (
        target.repo_type == "model" and CONFIG not in before.files
    ):
        raise PublishError(
            f"{target}: this was the first publication; before it there was no model to go back to. "
            "Delete the repository on the Hub instead"
        )
    return WayBack(target, now, before)


def roll_back(way: WayBack, reader: Reader, push: str) -> Committed:
    """Commit the tree that stood before."""
    head, parent = str(way.now.head), str(way.before.head)
    operations = _restoring(way.now, way.before, reader, way.target)
    card = reader.content(way.target, README, parent)
    body = f"Restores {parent}.\n\n{trailers(push, digest(card) if card else None, 'ours')}"
    return Sender(reader, way.target, push).commit(operations, head, f"Roll back to {parent[:8]}", body)


def _restoring(now: Remote, before: Remote, reader: Reader, target: Target) -> list[Any]:
    """Return the operations from one tree to the other; large files are copied on the Hub, not sent."""
    operations: list[Any] = [
        CommitOperationDelete(path) for path in sorted(set(now.files) - set(before.files))
    ]
    for path, file in sorted(before.files.items()):
        if now.files.get(path) == file:
            continue
        if file.sha256 is not None:
            operations.append(CommitOperationCopy(path, path, src_revision=before.head))
        else:
            content = reader.content(target, path, str(before.head)) or b""
            operations.append(CommitOperationAdd(path, content))
    return operations
