"""Undoing a publication: the tree of the commit before it, as a new commit; history only grows."""

from __future__ import annotations

from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from finsent.release import CONFIG
from publishing.errors import PublishError
from publishing.manifest import README
from publishing.proof import digest
from publishing.receipt import Receipt
from publishing.remote import Reader, Remote, RemoteFile, Target, trailers
from publishing.transfer import Committed, Sender


def roll_back(receipt: Receipt, reader: Reader, push: str) -> tuple[Committed, dict[str, RemoteFile]]:
    """Restore what stood before a receipt's commit; return the new commit and the files that it has.

    PublishError when somebody committed since, for that would be undone too, or when nothing stood before.
    """
    target = Target(receipt.repo_id, receipt.repo_type, receipt.revision)  # type: ignore[arg-type]
    now = reader.read(target)
    if receipt.commit is None or receipt.parent is None:
        raise PublishError("this receipt tells of no commit, so there is nothing to undo")
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
    operations = _restoring(now, before, reader, target)
    card = reader.content(target, README, receipt.parent)
    body = f"Restores {receipt.parent}.\n\n{trailers(push, digest(card) if card else None, 'ours')}"
    title = f"Roll back to {receipt.parent[:8]}"
    return Sender(reader, target, push).commit(operations, receipt.commit, title, body), before.files


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
