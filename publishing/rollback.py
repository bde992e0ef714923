"""Undoing a publication: the tree of the commit before it, as a new commit; history only grows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from finsent.cli import say, stage
from finsent.environment import is_loopback
from finsent.release import CARD, CONFIG
from publishing.display import show_receipt
from publishing.errors import GaveUpError, PublishError
from publishing.hub.remote import GITATTRIBUTES, Reader, Remote, Target, trailers
from publishing.hub.transfer import Committed, Sender
from publishing.journal import Journal
from publishing.options import new_push_id
from publishing.package.manifest import digest
from publishing.proof.prover import Prover, empty_home
from publishing.proof.verify import proving, raise_if_failed
from publishing.receipt import Receipt, timestamp
from publishing.space.address import OUTBOX, SpaceOptions
from publishing.space.forms import Subject
from publishing.space.publisher import SpacePublisher


@dataclass(frozen=True)
class RollbackPlan:
    """What is there now, and what was there before the push that is undone."""

    target: Target
    stands: Remote
    before: Remote


def roll_back(receipt: Receipt, run: Path, reader: Reader) -> Receipt:
    """Roll a publication back, prove the files, and point its Space at what is there now."""
    plan, push_id = plan_rollback(receipt, reader), new_push_id()
    stage(f"rolling {plan.target.repo_id} back to {str(receipt.parent)[:8]}")
    journal = Journal(_first_receipt(receipt, plan.target, push_id), run)
    with journal.kept_true(reader, plan.target):
        committed = _commit_rollback(plan, reader, push_id)
        journal.note(commit=committed.commit, message="proof not finished", commit_is_certain=True)
        _prove(plan, committed, reader, journal)
        _repoint_space(receipt, run, committed, reader, journal)
    journal.note(state="rolled back", message=f"restores {receipt.parent}")
    if receipt.tag:
        say(
            f"{receipt.tag} stays on {str(receipt.commit)[:8]}, the commit that was undone; raise the version"
        )
    show_receipt(journal.receipt, reader.connection)
    return journal.receipt


def _first_receipt(receipt: Receipt, target: Target, push_id: str) -> Receipt:
    """Return the receipt of a rollback as it is before anything is sent."""
    return receipt.with_(
        created=timestamp(), state="failed", message="interrupted while committing", push=push_id,
        repo_id=target.repo_id,
        parent=receipt.commit, commit=None, commit_is_certain=False,
        tag=None, files=(), checks=(), space=None,
    )  # fmt: skip


def plan_rollback(receipt: Receipt, reader: Reader) -> RollbackPlan:
    """Return what is to be restored.

    PublishError if somebody committed since, for that would be undone too, or when nothing stood before.
    """
    target = _find_target(receipt, reader)
    parent = _undone_parent(receipt, target)
    stands = reader.read(target)
    if stands.head != receipt.commit:
        raise PublishError(
            f"{target}: is at {str(stands.head)[:8]}, the receipt is about {str(receipt.commit)[:8]}; "
            "a rollback would also undo what came after it, so give the receipt of the newest push"
        )
    before = reader.read(Target(target.repo_id, target.repo_type, parent))
    needed = {CONFIG} if target.repo_type == "model" else set()
    if not set(before.files) - {GITATTRIBUTES} or not needed <= set(before.files):
        raise PublishError(
            f"{target}: this was the first push, so there is nothing to go back to. "
            "Delete the repository on the Hub instead"
        )
    return RollbackPlan(target, stands, before)


def _find_target(receipt: Receipt, reader: Reader) -> Target:
    """Return where the repository is now; a Hub of this machine that is not there may have been --local."""
    try:
        return reader.current(Target(receipt.repo_id, receipt.repo_type, receipt.revision))
    except GaveUpError as error:
        is_own = is_loopback(reader.connection.endpoint)
        hint = "; use --local to undo a push with --local" if is_own else ""
        raise PublishError(f"{error}{hint}") from error


def _undone_parent(receipt: Receipt, target: Target) -> str:
    """Return the commit before the one that is undone; PublishError for a receipt of none."""
    if receipt.pull_request is not None:
        raise PublishError(
            f"{target}: the receipt is about pull request {receipt.pull_request}, "
            "which has not changed anything yet; close it on the Hub"
        )
    if receipt.commit is None or receipt.commit == receipt.parent or receipt.parent is None:
        raise PublishError("this receipt has no commit, so there is nothing to undo")
    return receipt.parent


def _commit_rollback(plan: RollbackPlan, reader: Reader, push: str) -> Committed:
    """Commit the tree that was there before."""
    head, parent = str(plan.stands.head), str(plan.before.head)
    operations = _restoring(plan.stands, plan.before, reader, plan.target)
    card = reader.content(plan.target, CARD, parent)
    body = f"Restores {parent}.\n\n{trailers(push, digest(card) if card else None, 'ours')}"
    return Sender(reader, plan.target, push).commit(operations, head, f"Roll back to {parent[:8]}", body)


def _restoring(stands: Remote, before: Remote, reader: Reader, target: Target) -> list[Any]:
    """Return the operations from one tree to the other; large files are copied on the Hub, not sent."""
    operations: list[Any] = [
        CommitOperationDelete(path) for path in sorted(set(stands.files) - set(before.files))
    ]
    for path, file in sorted(before.files.items()):
        if stands.files.get(path) == file:
            continue
        if file.sha256 is not None:
            operations.append(CommitOperationCopy(path, path, src_revision=before.head))
        else:
            content = reader.content(target, path, str(before.head)) or b""
            operations.append(CommitOperationAdd(path, content))
    return operations


def _prove(plan: RollbackPlan, committed: Committed, reader: Reader, journal: Journal) -> None:
    """Compare what comes back with the object ids of the tree that was restored."""
    with proving(committed.commit), empty_home() as home:
        prover = Prover(reader, plan.target, committed.commit, home)
        check = prover.check_objects(prover.download(sorted(plan.before.files)), plan.before.files)
    journal.note(checks=(check,))
    raise_if_failed(check, committed.commit)


def _repoint_space(
    receipt: Receipt, run: Path, committed: Committed, reader: Reader, journal: Journal
) -> None:
    """Let the Space of a push that is undone show what was restored."""
    space = receipt.space
    if space is None or space.commit is None:
        return
    stage(f"Space {space.repo_id}")
    model = journal.receipt.repo_id
    subject = Subject(model, title=model, summary="", licence=None)  # only its id is sent
    space_id = reader.current(Target(space.repo_id, "space")).repo_id
    options = SpaceOptions(space_id, "auto", subject, run / OUTBOX)
    publisher = SpacePublisher(reader, options, journal.receipt.push)
    commit = publisher.repoint(space.sdk, committed.commit)
    changes = {"repo_id": space_id, "commit": commit, "model_revision": committed.commit}
    journal.note(space=space.model_copy(update=changes))
