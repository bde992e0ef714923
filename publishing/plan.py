"""What a push would change, file by file, against what the Hub holds."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from finsent.release import CARD, METRICS
from model_card.measure.metrics_file import Metrics
from publishing.comparison import FigureChange, compare_figures, find_regressions, read_published
from publishing.hub.remote import Reader, Remote
from publishing.package.card_merge import CardChoice, CardDecision, apply_decision, decide_card
from publishing.package.changes import Action, FileChange, compare_files
from publishing.package.commit_message import commit_title
from publishing.package.manifest import Manifest
from publishing.package.parcel import Parcel
from publishing.version import check_version


class Plan(BaseModel):
    """All that one commit would do. `parent` is None for a repository that does not exist yet."""

    model_config = ConfigDict(frozen=True)

    repo_id: str
    repo_type: str
    revision: str
    parent: str | None
    files: tuple[FileChange, ...]
    tag: str | None
    title: str
    card: str
    figures: tuple[FigureChange, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, *actions: Action) -> list[FileChange]:
        """Return the files that something happens to."""
        return [file for file in self.files if file.action in actions]

    @property
    def is_empty(self) -> bool:
        """Whether the Hub holds all this already."""
        return not any(file.has_effect for file in self.files)

    @property
    def bytes_to_send(self) -> int:
        """Bytes of what is new; a Hub that knows a large file from elsewhere takes less."""
        return sum(file.size for file in self.of("add", "change"))


def make_plan(
    parcel: Parcel, remote: Remote, reader: Reader, choice: CardChoice | None, tag: str | None
) -> tuple[Plan, Manifest, CardDecision]:
    """Return the plan, what is sent by it, and what happens to the card.

    Raises CardConflictError for a card that was edited on the Hub, PublishError for a tag that is taken.
    """
    theirs = _read_head(CARD, remote, reader)
    decision = decide_card(parcel.manifest.content(CARD), theirs, remote, choice)
    manifest = apply_decision(parcel.manifest, decision)
    changes = compare_files(manifest, remote, kept=(CARD,))
    is_taken = tag is not None and tag in remote.tags
    before = read_published(_read_head(METRICS, remote, reader)) if parcel.metrics else None
    target = parcel.target
    plan = Plan(
        repo_id=target.repo_id, repo_type=target.repo_type, revision=target.revision, parent=remote.head,
        files=changes, tag=None if is_taken else tag, card=decision.choice,
        title=commit_title(target, changes, parcel.version, first=remote.last_push is None),
        figures=tuple(compare_figures(before, parcel.metrics)) if parcel.metrics else (),
        warnings=tuple(_warnings(parcel, before)),
    )  # fmt: skip
    if tag and is_taken and not plan.is_empty:
        plan = plan.model_copy(update={"notes": (check_version(tag, manifest, remote, reader),)})
    return plan, manifest, decision


def _read_head(path: str, remote: Remote, reader: Reader) -> bytes | None:
    """Return a file of the head, None if there is none."""
    there = remote.head is not None and path in remote.files
    return reader.content(remote.target, path, str(remote.head)) if there else None


def _warnings(parcel: Parcel, before: Metrics | None) -> Iterator[str]:
    """Yield what a person should know before saying yes: files that stay behind, scores that fell."""
    if left := parcel.manifest.left_out:
        yield f"not sent, because these are not files of a {_name(parcel)}: {_some(left)}"
    if parcel.metrics is not None:
        yield from find_regressions(before, parcel.metrics)


def _name(parcel: Parcel) -> str:
    return "data set" if parcel.target.repo_type == "dataset" else "release"


def _some(names: tuple[str, ...], most: int = 8) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
