"""A push as one object: its stages, in the order in which hub_push.py tells them; each notes what it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from finsent.cli import say, stage
from finsent.release import CARD
from publishing.display import show_account, show_receipt
from publishing.draft import Draft, find_proposal, is_published, make_draft, tag_name
from publishing.errors import PublishError, StalePlanError
from publishing.hub.remote import Reader, Remote, trailers
from publishing.hub.transfer import Committed, Sender
from publishing.journal import Journal
from publishing.moves import follow_moves
from publishing.options import PushOptions
from publishing.package.check import check_manifest
from publishing.package.manifest import digest
from publishing.package.parcel import Parcel
from publishing.plan import Plan
from publishing.preflight import check_account, check_rights
from publishing.proof.prover import Prover, empty_home
from publishing.proof.verify import proving, raise_if_failed, verify_commit
from publishing.receipt import Check, Receipt, SentFile, timestamp
from publishing.space.publisher import SpacePublisher


@dataclass(frozen=True)
class PushResult:
    """What became of a push; no receipt: nothing was to be done, or it was a dry run."""

    plan: Plan
    space_plan: Plan | None
    receipt: Receipt | None

    def as_json(self) -> str:
        """Return plan and receipt for machines."""
        parts = {name: part and part.model_dump(mode="json") for name, part in vars(self).items()}
        return json.dumps(parts, indent=1)


@dataclass
class Push:
    """One push of a parcel to a Hub.

    `plan` sets `draft`, `recorded` sets `journal`, `commit` sets `committed`: later stages need them.
    """

    parcel: Parcel
    options: PushOptions
    reader: Reader
    draft: Draft = field(init=False)
    journal: Journal = field(init=False)
    committed: Committed = field(init=False)

    def check(self) -> None:
        """Lint what is about to be sent, and ask whether this token may send it."""
        connection = self.reader.connection
        check_manifest(self.parcel.manifest, self.parcel.folder, connection.token)
        account = check_account(connection, self.reader.retries, *self._repo_ids())
        self.parcel, self.options = follow_moves(self.parcel, self.options, self.reader)
        check_rights(connection, account, tuple(self._repo_ids()))
        show_account(connection, account)

    def _repo_ids(self) -> list[str]:
        space = self.options.space
        return [self.parcel.target.repo_id, *([space.repo_id] if space else [])]

    def plan(self) -> None:
        """Read the Hub, plan, and show the plan."""
        self.draft = make_draft(self.parcel, self.options, self.reader)

    def is_done(self) -> bool:
        """Tell whether an earlier push did all this, or proposes it in a pull request that is still open."""
        if is_published(self.draft, self.parcel, self.options):
            say("nothing to do: this release is published and proved")
            return True
        if not self.options.pull_request:
            return False
        number = find_proposal(self.draft, self.parcel, self.reader)
        if number is not None:
            say(f"pull request {number} already proposes this")
        return number is not None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep a receipt that is true, whatever breaks off the stages that follow."""
        self.journal = Journal(self._first_receipt(), self.parcel.run)
        with self.journal.kept_true(self.reader, self.parcel.target, self.options.pull_request):
            yield

    def _first_receipt(self) -> Receipt:
        """Return the receipt as it is before anything is sent."""
        draft, target = self.draft, self.parcel.target
        ours, theirs = draft.manifest.files.get(CARD), draft.remote.files.get(CARD)
        sent = draft.manifest.files.values()
        return Receipt(
            created=timestamp(),
            endpoint=self.reader.connection.endpoint,
            repo_id=target.repo_id,
            repo_type=target.repo_type,
            revision=target.revision,
            state="failed",
            message="broken off",
            push=self.options.push_id,
            parent=draft.remote.head,
            card_sha256=ours.sha256 if ours else None,
            card_choice=draft.card.choice if ours or theirs else None,
            files=tuple(SentFile(path=file.path, size=file.size, sha256=file.sha256) for file in sent),
        )

    def commit(self) -> None:
        """Make the one commit; where somebody else was quicker, show the plan as it is now and raise."""
        try:
            self.committed = self._commit()
        except StalePlanError as error:
            self.journal.note(state="failed", message=str(error))
            self.plan()
            raise PublishError(f"{error}; the plan above is the new one: run again to publish it") from error

    def _commit(self) -> Committed:
        """Create the repository where needed and commit, unless the Hub holds it all."""
        plan = self.draft.plan
        if plan.is_empty:
            head = str(self.draft.remote.head)
            self.journal.note(commit=head, card_sha256=self._card_sha256(head), message="")
            return Committed(head, head)
        stage(f"commit: {plan.title}")
        remote = self._sender.ensure_repository(self.draft.remote, private=self.options.private)
        self.journal.note(parent=remote.head)
        card = self._card_sha256(str(remote.head))
        committed = self._send(remote, card)
        self.journal.note(
            commit=committed.commit, pull_request=committed.pull_request, card_sha256=card,
            message="proof not finished", commit_is_certain=True,
        )  # fmt: skip
        return committed

    def _send(self, remote: Remote, card: str) -> Committed:
        lines = trailers(self.options.push_id, card, self.draft.card.choice)
        body = f"{self.parcel.notes}\n\n{lines}".strip()

        def announce() -> None:  # what a kill leaves behind
            self.journal.note(message="interrupted while committing", commit_is_certain=False)

        plan, manifest, proposed = self.draft.plan, self.draft.manifest, self.options.pull_request
        return self._sender.send(plan, manifest, remote, body, proposed, announce)

    @property
    def _sender(self) -> Sender:
        return Sender(self.reader, self.parcel.target, self.options.push_id)

    def _card_sha256(self, head: str) -> str:
        """Return what README will be there: ours, or theirs where that is kept."""
        ours = self.draft.manifest.files.get(CARD)
        return ours.sha256 if ours else digest(self.reader.content(self.parcel.target, CARD, head) or b"")

    def tag(self) -> None:
        """Tag the commit with its version and the notes of the release."""
        name, commit = tag_name(self.parcel, self.options), self.committed.commit
        if name is None:
            return
        there = self.reader.tags(self.parcel.target).get(name)
        if there not in (None, commit) and self.draft.plan.tag is not None:
            raise PublishError(
                f"{commit[:8]} is published, but {name} was put on {str(there)[:8]} since the plan was "
                "made; raise `version` in the recipe and push again"
            )
        if there is None:
            stage(f"tag {name}")
            self._sender.tag(name, commit, self.parcel.notes)
            there = commit
        self.journal.note(tag=name if there == commit else None)

    def prove(self) -> None:
        """Read everything back and run it; PublishError if that cannot be done or is not what was sent."""
        stage("proof: downloading into an empty cache")
        commit = self.committed.commit
        with proving(commit):
            for check in self._proof():
                self.journal.note(checks=(*self.journal.receipt.checks, check))
                if check.state == "failed":
                    break
        raise_if_failed(check, commit)

    def _proof(self) -> Iterator[Check]:
        """Yield what is found out about the commit, read back into an empty home."""
        expected = {path: file.sha256 for path, file in self.draft.manifest.files.items()}
        with empty_home() as home:
            prover = Prover(self.reader, self.parcel.target, self.committed.commit, home)
            snapshot = prover.download(sorted({*expected, CARD}))
            yield from verify_commit(prover, snapshot, self.parcel, expected, self.options.proof)

    def show_space(self) -> None:
        """Publish the demo for the commit that was just proved."""
        space, commit = self.options.space, self.committed.commit
        if space is None or self.options.pull_request:
            return
        stage(f"Space {space.repo_id}")
        record, checks = SpacePublisher(self.reader, space, self.options.push_id).publish(commit)
        self.journal.note(space=record, checks=(*self.journal.receipt.checks, *checks))
        for check in checks:
            raise_if_failed(check, commit)

    def close(self) -> PushResult:
        """Finish the receipt, show it, and return what became of the push."""
        changed = self.journal.receipt.commit != self.journal.receipt.parent
        self.journal.note(state="published" if changed else "unchanged", message="")
        show_receipt(self.journal.receipt, self.reader.connection)
        say(f"receipt: {self.journal.path}")
        return PushResult(self.draft.plan, self.draft.space_plan, self.journal.receipt)

    def without_receipt(self) -> PushResult:
        """Return the plan alone: nothing was to be done, or nothing should be."""
        return PushResult(self.draft.plan, self.draft.space_plan, None)
