"""Discussions and pull requests: opened, committed to, compared and merged."""

from __future__ import annotations

from typing import Any

from local_hub.catalogue import Shelf
from local_hub.errors import HubError, bad_request, stale_parent
from local_hub.pull_diff import text_diff
from local_hub.record import Discussion, Event, Record, timestamp
from local_hub.trees import Change, CommitFacts, Signature


def pull_ref(number: int) -> str:
    """Where a pull request's commits are."""
    return f"refs/pr/{number}"


def _comment(author: str, text: str) -> Event:
    now = timestamp()
    latest = {"raw": text, "html": "", "updatedAt": now, "author": {"name": author}}
    data = {"edited": False, "hidden": False, "numEdits": 0, "latest": latest, "history": []}
    return Event(type="comment", author=author, created_at=now, data=data)


def _commit_event(author: str, commit: CommitFacts) -> Event:
    return Event(type="commit", author=author, data={"subject": commit.title, "oid": commit.oid})


def find_discussion(shelf: Shelf, number: int) -> Discussion:
    """The discussion of that number; 404 if there is none."""
    for discussion in shelf.record.discussions:
        if discussion.num == number:
            return discussion
    raise HubError(404, f"There is no discussion {number} in {shelf.id}.")


def open_discussion(
    shelf: Shelf, author: str, title: str, text: str, *, base: str | None = None, head: str | None = None
) -> Discussion:
    """Start a discussion, or a pull request into the branch `base` whose first commit is `head`."""
    if not 3 <= len(title) <= 200:
        title = title.ljust(3, ".")[:200]
    opened: list[Discussion] = []

    def add(record: Record) -> Record:
        # A kill may have left a reference without its discussion; its number is not used again.
        taken = {known.num for known in record.discussions} | {
            int(name) for name in shelf.repository.refs("refs/pr/")
        }
        number = max(taken, default=0) + 1
        events = (_comment(author, text),) if text else ()
        if base is not None and head is not None:
            shelf.repository.point(pull_ref(number), head, None)
        discussion = Discussion(
            num=number, title=title, author=author, is_pull_request=base is not None,
            base=base or "refs/heads/main", events=events, status="open",
        )  # fmt: skip
        opened.append(discussion)
        return record.model_copy(update={"discussions": (*record.discussions, discussion)})

    shelf.update(add)
    return opened[0]


def replace_discussion(shelf: Shelf, number: int, **update: Any) -> Discussion:  # noqa: ANN401  (model fields)
    """Store the discussion with some fields changed."""

    def change(record: Record) -> Record:
        updated = tuple(
            known.model_copy(update=update) if known.num == number else known for known in record.discussions
        )
        return record.model_copy(update={"discussions": updated})

    shelf.update(change)
    return find_discussion(shelf, number)


def comment(shelf: Shelf, number: int, author: str, text: str) -> Event:
    """Add a comment and return it."""
    event = _comment(author, text)
    with shelf.repository.lock:
        known = find_discussion(shelf, number)
        replace_discussion(shelf, number, events=(*known.events, event))
    return event


def rename(shelf: Shelf, number: int, author: str, title: str) -> Event:
    """Change the title and return the event."""
    with shelf.repository.lock:
        known = find_discussion(shelf, number)
        event = Event(type="title-change", author=author, data={"from": known.title, "to": title})
        replace_discussion(shelf, number, title=title, events=(*known.events, event))
    return event


def set_status(shelf: Shelf, number: int, author: str, status: str, text: str | None) -> Event:
    """Open or close a discussion and return the event; 400 for anything else or once merged."""
    if status not in ("open", "closed"):
        raise bad_request(f"Unknown status {status[:20]!r}: use open or closed.")
    with shelf.repository.lock:
        known = find_discussion(shelf, number)
        if known.status == "merged":
            raise bad_request("This pull request is already merged.")
        event = Event(type="status-change", author=author, data={"status": status})
        extra = (_comment(author, text),) if text else ()
        replace_discussion(shelf, number, status=status, events=(*known.events, *extra, event))
    return event


def changes_of(shelf: Shelf, known: Discussion) -> tuple[dict[str, str | None], set[str]]:
    """What the pull request changes since it left its base (path to blob, or None), and what conflicts."""
    base, head = shelf.repository.resolve(known.base), shelf.repository.resolve(pull_ref(known.num))
    fork = _fork_point(shelf, base, head)
    mine, theirs = _difference(shelf, fork, head), _difference(shelf, fork, base)
    return mine, {path for path in mine.keys() & theirs.keys() if mine[path] != theirs[path]}


def _fork_point(shelf: Shelf, base: str, head: str) -> str:
    return shelf.repository.fork_point(base, head) or base


def _difference(shelf: Shelf, before: str, after: str) -> dict[str, str | None]:
    old = {entry.path: entry.oid for entry in shelf.repository.files(before)}
    new = {entry.path: entry.oid for entry in shelf.repository.files(after)}
    return {path: new.get(path) for path in old | new if old.get(path) != new.get(path)}


def unified_diff(shelf: Shelf, known: Discussion) -> str:
    """What the pull request changes since it left its base, as text."""
    base, head = shelf.repository.resolve(known.base), shelf.repository.resolve(pull_ref(known.num))
    fork = shelf.repository.commit_facts(_fork_point(shelf, base, head))
    with shelf.repository.git() as repo:
        return text_diff(repo, fork.tree, shelf.repository.commit_facts(head).tree)


def own_commits(shelf: Shelf, known: Discussion) -> list[CommitFacts]:
    """The commits of a pull request that its base does not have, oldest first."""
    base, head = shelf.repository.resolve(known.base), shelf.repository.resolve(pull_ref(known.num))
    return shelf.repository.commits_ahead(base, head)


def merge(shelf: Shelf, number: int, author: str, text: str | None) -> str:
    """Bring the pull request into its base as one commit with both parents; 409 names the conflicts."""
    repository = shelf.repository
    with repository.lock:
        known = find_discussion(shelf, number)
        if not known.is_pull_request or known.status not in ("open", "draft"):
            raise bad_request(f"Discussion {number} is not an open pull request.")
        mine, conflicts = changes_of(shelf, known)
        if conflicts:
            raise HubError(409, f"This pull request conflicts in: {', '.join(sorted(conflicts))[:500]}")
        base, head = repository.resolve(known.base), repository.resolve(pull_ref(number))
        changes = [Change(path, blob) for path, blob in mine.items()]
        signature = Signature(author, f"{known.title} (#{number})", text or "")
        oid = repository.write_commit((base, head), changes, signature)
        if not repository.point(known.base, oid, base):
            raise stale_parent()
        event = Event(type="status-change", author=author, data={"status": "merged"})
        replace_discussion(shelf, number, status="merged", merge_commit=oid, events=(*known.events, event))
    return oid


def describe(shelf: Shelf, known: Discussion) -> dict[str, Any]:
    """A discussion as a list shows it."""
    return {
        "num": known.num,
        "title": known.title,
        "author": {"name": known.author, "type": "user"},
        "repo": {"name": str(shelf.id), "type": shelf.id.type},
        "status": known.status,
        "isPullRequest": known.is_pull_request,
        "createdAt": known.created_at,
        "numComments": sum(event.type == "comment" for event in known.events),
        "pinned": False,
    }


def describe_fully(shelf: Shelf, known: Discussion, *, may_read: bool) -> dict[str, Any]:
    """A discussion with its events; for a pull request also its commits and, for readers, its diff."""
    answer = {**describe(shelf, known), "events": [event_answer(event) for event in known.events]}
    if not known.is_pull_request:
        return answer
    merged = known.status == "merged"
    commits = [] if merged else own_commits(shelf, known)
    changes = {"base": known.base} | ({"mergeCommitId": known.merge_commit} if known.merge_commit else {})
    compared = may_read and not merged
    return {
        **answer,
        "events": answer["events"] + [event_answer(_commit_event(known.author, facts)) for facts in commits],
        "changes": changes,
        "filesWithConflicts": sorted(changes_of(shelf, known)[1]) if compared else [],
        "diff": unified_diff(shelf, known) if compared else "",
    }


def event_answer(event: Event) -> dict[str, Any]:
    """An event as the API tells it."""
    return {
        "id": event.id,
        "type": event.type,
        "author": {"name": event.author, "type": "user"},
        "createdAt": event.created_at,
        "data": event.data,
    }
