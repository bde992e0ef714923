"""The stages of a push, in the order in which hub_push.py tells them; each notes what it did."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from publishing.card_merge import CardDecision, Choice
from publishing.errors import PublishError
from publishing.journal import Journal
from publishing.manifest import README, Manifest
from publishing.parcel import Parcel, release_notes
from publishing.plan import Plan, make_plan
from publishing.proof import Depth, Prover, check_names, digest, empty_home
from publishing.receipt import Check, Receipt, SentFile, now, receipts_of
from publishing.remote import LastPush, Reader, Remote, Target, trailers
from publishing.rollback import find_way_back, roll_back
from publishing.space_push import SpacePusher, SpaceWish
from publishing.tables import show_plan, show_receipt
from publishing.transfer import Committed, Sender
from space.forms import Subject


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for, beside where to."""

    card: Choice | None = None
    tagged: bool = True
    pull_request: bool = False
    private: bool = False
    proof: Depth = "full"
    dry_run: bool = False
    confirm: bool = True
    """Ask before anything is sent."""
    space: SpaceWish | None = None
    push: str = field(default_factory=lambda: uuid.uuid4().hex)
    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def tell(self, title: str) -> None:
        """Tell a person what begins now."""
        self.console.print(title, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class Draft:
    """A plan with what it was made from."""

    plan: Plan
    manifest: Manifest
    card: CardDecision
    remote: Remote
    space_plan: Plan | None


def repositories(parcel: Parcel, wishes: Wishes) -> list[str]:
    """Return every repository that a push may write to."""
    return [parcel.target.repo_id, *([wishes.space.repo_id] if wishes.space else [])]


def draw(parcel: Parcel, wishes: Wishes, reader: Reader) -> Draft:
    """Read the Hub, plan, and show the plan."""
    wishes.tell("plan")
    remote = _remember(parcel, reader.read(parcel.target))
    plan, manifest, card = make_plan(parcel, remote, reader, wishes.card, _tag(parcel, wishes))
    show_plan(wishes.console, plan)
    space_plan = None
    if wishes.space is not None and not wishes.pull_request:
        pusher = _pusher(parcel, wishes, reader)
        space = reader.read(wishes.space.target)
        revision = remote.head if plan.is_empty else None
        space_plan, _ = pusher.plan(pusher.choose_sdk(space), space, revision)
        show_plan(wishes.console, space_plan)
        if not plan.is_empty:
            wishes.tell(f"Space {wishes.space.repo_id} is pointed at the new commit once that is proved")
    return Draft(plan, manifest, card, remote, space_plan)


def _remember(parcel: Parcel, remote: Remote) -> Remote:
    """Take which README stands there, and by whose choice, from a push that had nothing to commit."""
    for receipt in receipts_of(parcel.run, parcel.target.repo_id):
        if receipt.commit == remote.head and receipt.state == "unchanged" and receipt.commit is not None:
            last = LastPush(receipt.commit, receipt.push, receipt.card_sha256, receipt.card_choice)
            return replace(remote, last_push=last)
    return remote


def _tag(parcel: Parcel, wishes: Wishes) -> str | None:
    return parcel.tag if wishes.tagged and not wishes.pull_request else None


def _pusher(parcel: Parcel, wishes: Wishes, reader: Reader) -> SpacePusher:
    assert wishes.space is not None
    return SpacePusher(reader, wishes.space, wishes.push, wishes.tell)


def is_settled(parcel: Parcel, wishes: Wishes, draft: Draft, reader: Reader) -> bool:
    """Tell whether an earlier push left nothing to do: tag, proof and Space of this very head."""
    if draft.plan.tag is not None:
        return False
    if draft.space_plan is not None and not draft.space_plan.is_empty:
        return False
    for receipt in receipts_of(parcel.run, parcel.target.repo_id):
        if receipt.commit != draft.remote.head:
            continue  # the endpoint is not compared: a commit's id is its own, and --local changes ports
        proved = set(check_names(receipt.repo_type, wishes.proof)) <= {one.name for one in receipt.checks}
        whole = receipt.state in ("published", "unchanged") and proved
        return whole and (wishes.space is None or receipt.space is not None)
    return False


def is_proposed(parcel: Parcel, wishes: Wishes, draft: Draft, reader: Reader) -> bool:
    """Tell whether a pull request of an earlier push proposes just this and is still open."""
    if not wishes.pull_request:
        return False
    files = {path: file.sha256 for path, file in draft.manifest.files.items()}
    for receipt in receipts_of(parcel.run, parcel.target.repo_id):
        number = receipt.pull_request
        if number is None or receipt.state != "published":
            continue
        if {file.path: file.sha256 for file in receipt.files} == files and reader.is_open(
            parcel.target, number
        ):
            wishes.tell(f"pull request {number} proposes this already")
            return True
    return False


def start_receipt(parcel: Parcel, wishes: Wishes, draft: Draft, reader: Reader) -> Receipt:
    """Return the receipt as it is before anything is sent."""
    kept = draft.remote.files.get(README)
    card = draft.manifest.files.get(README)
    return Receipt(
        created=now(),
        endpoint=reader.connection.endpoint,
        repo_id=parcel.target.repo_id,
        repo_type=parcel.target.repo_type,
        revision=parcel.target.revision,
        state="failed",
        message="broken off",
        push=wishes.push,
        parent=draft.remote.head,
        card_sha256=card.sha256 if card else None,
        card_choice=draft.card.choice if card or kept else None,
        files=tuple(
            SentFile(path=file.path, size=file.size, sha256=file.sha256)
            for file in draft.manifest.files.values()
        ),
    )


def commit(parcel: Parcel, wishes: Wishes, draft: Draft, reader: Reader, journal: Journal) -> Committed:
    """Create the repository where needed and make the one commit, unless the Hub holds it all."""
    if draft.plan.is_empty:
        head = str(draft.remote.head)
        card = _card_sha256(parcel, draft, reader, head)
        journal.note(commit=head, card_sha256=card, message="")
        return Committed(head, head)
    wishes.tell(f"commit: {draft.plan.title}")
    sender = Sender(reader, parcel.target, wishes.push)
    remote = sender.ensure_repository(draft.remote, private=wishes.private)
    journal.note(parent=remote.head)
    card = _card_sha256(parcel, draft, reader, str(remote.head))
    notes = release_notes(parcel.version) if parcel.version else ""
    body = f"{notes}\n\n{trailers(wishes.push, card, draft.card.choice)}".strip()

    def announce() -> None:  # what a kill leaves behind
        journal.note(message="broken off while committing", commit_is_certain=False)

    committed = sender.send(draft.plan, draft.manifest, remote, body, wishes.pull_request, announce)
    journal.note(
        commit=committed.commit,
        pull_request=committed.pull_request,
        card_sha256=card,
        message="proof not finished",
        commit_is_certain=True,
    )
    return committed


def _card_sha256(parcel: Parcel, draft: Draft, reader: Reader, head: str) -> str:
    """Return what README will be there: ours, or theirs where that is kept."""
    ours = draft.manifest.files.get(README)
    return ours.sha256 if ours else digest(reader.content(parcel.target, README, head) or b"")


def tag_commit(
    parcel: Parcel, wishes: Wishes, draft: Draft, committed: Committed, reader: Reader, journal: Journal
) -> None:
    """Tag the commit with its version and what the changelog says of it."""
    name = _tag(parcel, wishes)
    if name is None:
        return
    there = reader.tags(parcel.target).get(name)
    if there not in (None, committed.commit) and draft.plan.tag is not None:
        raise PublishError(
            f"{committed.commit[:8]} is published, but {name} was put on {str(there)[:8]} since the plan was "
            "made; raise `version` in the recipe and push again"
        )
    if there is None:
        wishes.tell(f"tag {name}")
        Sender(reader, parcel.target, wishes.push).tag(name, committed.commit, release_notes(parcel.version))
        there = committed.commit
    journal.note(tag=name if there == committed.commit else None)


def prove(
    parcel: Parcel, wishes: Wishes, draft: Draft, committed: Committed, reader: Reader, journal: Journal
) -> None:
    """Read everything back and run it; PublishError when that is not what was sent."""
    wishes.tell("proof: reading back into an empty cache")
    expected = {path: file.sha256 for path, file in draft.manifest.files.items()}
    with empty_home() as home:
        prover = Prover(reader, parcel.target, committed.commit, home)
        snapshot = prover.download(sorted({*expected, README}))
        for check in _checks(prover, snapshot, parcel, expected, wishes):
            journal.note(checks=(*journal.receipt.checks, check))
            demand(check, committed.commit)


def _checks(
    prover: Prover, snapshot: Path, parcel: Parcel, expected: dict[str, str], wishes: Wishes
) -> Iterator[Check]:
    yield prover.check_files(snapshot, expected)
    if wishes.proof == "files":
        return
    if parcel.target.repo_type == "dataset":
        yield prover.check_rows(snapshot)
        return
    wishes.tell("proof: loading by Hub id")
    yield prover.check_loading(snapshot, parcel.folder)
    if wishes.proof == "full":
        wishes.tell("proof: the card's code")
        yield prover.check_card(snapshot)


def demand(check: Check, commit: str) -> None:
    """Raise PublishError when something was found to be wrong with what is published."""
    if check.state == "failed":
        raise PublishError(
            f"{commit[:8]} is published, but {check.name} failed: {check.detail}; "
            "mend and push again, or go back with: python hub_push.py rollback RUN"
        )


def show_space(
    parcel: Parcel, wishes: Wishes, committed: Committed, reader: Reader, journal: Journal
) -> None:
    """Publish the demo for the commit that was just proved."""
    if wishes.space is None or wishes.pull_request:
        return
    wishes.tell(f"Space {wishes.space.repo_id}")
    record, checks = _pusher(parcel, wishes, reader).publish(committed.commit)
    journal.note(space=record, checks=(*journal.receipt.checks, *checks))
    for check in checks:
        demand(check, committed.commit)


def close(journal: Journal, wishes: Wishes) -> Receipt:
    """Finish the receipt and show it."""
    changed = journal.receipt.commit != journal.receipt.parent
    journal.note(state="published" if changed else "unchanged", message="")
    show_receipt(wishes.console, journal.receipt)
    wishes.console.print(f"receipt: {journal.path}", markup=False, soft_wrap=True)
    return journal.receipt


def check_published(target: Target, reader: Reader, depth: Depth) -> Iterator[Check]:
    """Yield what is found out about a published release: object ids, loading, the card's code."""
    remote = reader.read(target)
    if remote.head is None:
        raise PublishError(f"{target}: is not on {reader.connection.endpoint}, or this token may not see it")
    with empty_home() as home:
        prover = Prover(reader, target, remote.head, home)
        snapshot = prover.download(sorted(remote.files))
        yield prover.check_objects(snapshot, remote.files)
        yield prover.check_measured(snapshot)
        if depth != "files":
            yield prover.check_loading(snapshot, None)
        if depth == "full":
            yield prover.check_card(snapshot)


def undo(receipt: Receipt, run: Path, reader: Reader, wishes: Wishes) -> Receipt:
    """Roll a publication back, prove the files, and point its Space at what stands now."""
    way = find_way_back(receipt, reader)
    wishes.tell(f"rolling {way.target.repo_id} back to {str(receipt.parent)[:8]}")
    fresh = receipt.with_(
        created=now(), state="failed", message="broken off while committing", push=wishes.push,
        repo_id=way.target.repo_id,
        parent=receipt.commit, commit=None, commit_is_certain=False,
        tag=None, files=(), checks=(), space=None,
    )  # fmt: skip
    journal = Journal(fresh, run)
    with journal.kept_true(reader, way.target):
        committed = roll_back(way, reader, wishes.push)
        journal.note(commit=committed.commit, message="proof not finished", commit_is_certain=True)
        with empty_home() as home:
            prover = Prover(reader, way.target, committed.commit, home)
            check = prover.check_objects(prover.download(sorted(way.before.files)), way.before.files)
        journal.note(checks=(check,))
        demand(check, committed.commit)
        _repoint(receipt, run, committed, reader, wishes, journal)
    journal.note(state="rolled back", message=f"restores {receipt.parent}")
    if receipt.tag:
        wishes.tell(
            f"{receipt.tag} stays on {str(receipt.commit)[:8]}, the commit that was undone; raise the version"
        )
    show_receipt(wishes.console, journal.receipt)
    return journal.receipt


def _repoint(
    receipt: Receipt, run: Path, committed: Committed, reader: Reader, wishes: Wishes, journal: Journal
) -> None:
    """Let the Space of a push that is undone show what was restored."""
    space = receipt.space
    if space is None or space.commit is None:
        return
    wishes.tell(f"Space {space.repo_id}")
    model = journal.receipt.repo_id
    subject = Subject(model, title=model, summary="", licence=None)  # only its id is sent
    space_id = reader.current(Target(space.repo_id, "space")).repo_id
    wish = SpaceWish(space_id, "auto", subject, run / "outbox" / "space")
    pusher = SpacePusher(reader, wish, wishes.push, wishes.tell)
    commit = pusher.repoint(space.sdk, committed.commit)
    journal.note(
        space=space.model_copy(
            update={"repo_id": space_id, "commit": commit, "model_revision": committed.commit}
        )
    )
