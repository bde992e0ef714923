"""What a push would change, file by file, against what the Hub holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finsent.release import CARD, METRICS
from model_card.measure.metrics import Metrics
from publishing.comparison import FigureChange, compare_figures, find_regressions, read_published
from publishing.errors import PublishError
from publishing.hub.remote import Reader, Remote, Target
from publishing.package.card_merge import CardChoice, CardDecision, apply_decision, decide_card
from publishing.package.manifest import Manifest, is_allowed
from publishing.package.parcel import Parcel

Action = Literal["add", "change", "delete", "same", "keep"]


class FileChange(BaseModel):
    """One path; `keep` is a file of the Hub that no push of ours would send, such as .gitattributes."""

    model_config = ConfigDict(frozen=True)

    path: str
    action: Action
    size: int
    """In bytes, of what is sent or of what stands there."""


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

    def of(self, *actions: Action) -> list[FileChange]:
        """Return the files that something happens to."""
        return [file for file in self.files if file.action in actions]

    @property
    def is_empty(self) -> bool:
        """Whether the Hub holds all this already."""
        return not self.of("add", "change", "delete")

    @property
    def bytes_to_send(self) -> int:
        """Bytes of what is new; a Hub that knows a large file from elsewhere takes less."""
        return sum(file.size for file in self.of("add", "change"))


def compare_files(manifest: Manifest, remote: Remote, kept: tuple[str, ...] = ()) -> tuple[FileChange, ...]:
    """Return what happens to every path; those in `kept` stay as they are on the Hub."""
    changes = []
    for path, file in sorted(manifest.files.items()):
        there = remote.files.get(path)
        action: Action = "add" if there is None else "same" if there.equals(file) else "change"
        changes.append(FileChange(path=path, action=action, size=file.size))
    for path, there in sorted(remote.files.items()):
        if path not in manifest.files:
            ours = is_allowed(manifest.repo_type, path) and path not in kept
            changes.append(FileChange(path=path, action="delete" if ours else "keep", size=there.size))
    return tuple(changes)


def check_tag(tag: str | None, remote: Remote, changes: tuple[FileChange, ...]) -> None:
    """Raise PublishError when the tag of a version is taken by another commit than this push would make."""
    if tag is None or tag not in remote.tags:
        return
    if any(change.action in ("add", "change", "delete") for change in changes):
        raise PublishError(
            f"{remote.target}: {tag} is published already, at {remote.tags[tag][:8]}, and files differ; "
            "raise `version` in the recipe, or publish without a tag with --no-tag"
        )


def commit_title(target: Target, changes: tuple[FileChange, ...], version: str | None, first: bool) -> str:
    """Return the first line of the commit, made from what it does."""
    changed = [change for change in changes if change.action in ("add", "change", "delete")]
    name = f"{target.repo_id.rpartition('/')[2]}{f' {version}' if version else ''}"
    if first:
        return f"Publish {name}: {len(changed)} files"
    if len(changed) <= 2:
        return f"Update {name}: {', '.join(change.path for change in changed)}"
    verbs: dict[Action, str] = {"add": "added", "change": "changed", "delete": "deleted"}
    counts = {verb: sum(one.action == action for one in changed) for action, verb in verbs.items()}
    return f"Update {name}: " + ", ".join(f"{count} {verb}" for verb, count in counts.items() if count)


def make_plan(
    parcel: Parcel, remote: Remote, reader: Reader, choice: CardChoice | None, tag: str | None
) -> tuple[Plan, Manifest, CardDecision]:
    """Return the plan, what is sent by it, and what becomes of the card.

    Raises CardConflictError for a card that was edited on the Hub, PublishError for a tag that is taken.
    """

    def published(path: str) -> bytes | None:
        there = remote.head is not None and path in remote.files
        return reader.content(remote.target, path, str(remote.head)) if there else None

    decision = decide_card(parcel.manifest.content(CARD), published(CARD), remote, choice)
    manifest = apply_decision(parcel.manifest, decision)
    changes = compare_files(manifest, remote, kept=(CARD,))
    check_tag(tag, remote, changes)
    before = read_published(published(METRICS)) if parcel.metrics else None
    target = parcel.target
    plan = Plan(
        repo_id=target.repo_id, repo_type=target.repo_type, revision=target.revision, parent=remote.head,
        files=changes, tag=tag if tag not in remote.tags else None, card=decision.choice,
        title=commit_title(target, changes, parcel.version, first=remote.last_push is None),
        figures=tuple(compare_figures(before, parcel.metrics)) if parcel.metrics else (),
        warnings=tuple(_warnings(parcel, before)),
    )  # fmt: skip
    return plan, manifest, decision


def _warnings(parcel: Parcel, before: Metrics | None) -> Iterator[str]:
    """Yield what a person should know before saying yes: files that stay behind, scores that fell."""
    if left := parcel.manifest.left_out:
        yield f"not sent, for they are no files of a {_name(parcel)}: {_some(left)}"
    if parcel.metrics is not None:
        yield from find_regressions(before, parcel.metrics)


def _name(parcel: Parcel) -> str:
    return "data set" if parcel.target.repo_type == "dataset" else "release"


def _some(names: tuple[str, ...], most: int = 8) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
