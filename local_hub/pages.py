"""What the pages show, as plain data for the templates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from local_hub import pulls
from local_hub.accounts import Viewer
from local_hub.card import split_card
from local_hub.catalogue import Shelf
from local_hub.errors import HubError, entry_not_found
from local_hub.hub import Hub
from local_hub.markdown import render_markdown
from local_hub.own_words import (
    metadata_of,
    own_words,
    pipeline_tag_of,
    tags_of,
    visible_config,
)
from local_hub.record import Discussion
from local_hub.rights import may_read, may_see
from local_hub.snippets import snippets_for
from local_hub.trees import Entry
from local_hub.visits import Visit

_FOLDER = Path(__file__).parent / "templates"
_COMMITS = 50
_FACTS = ("license", "language", "base_model", "datasets", "library_name", "sdk", "sdk_version")


def templates() -> Environment:
    """The page templates; a missing value is an error, everything is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(search=None, viewer=None)
    return environment


def human_size(size: int) -> str:
    """Bytes for people: 1234567 is 1.2 MB."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def index_page(hub: Hub, viewer: Viewer | None, kind: str, search: str) -> dict[str, Any]:
    """The repositories that the viewer may see, the last changed first."""
    rows = []
    for shelf in hub.catalogue.all():
        wanted = kind in ("", shelf.id.kind) and search.lower() in str(shelf.id).lower()
        if not wanted or not may_see(hub.accounts, shelf, viewer):
            continue
        row = {"id": str(shelf.id), "path": shelf.id.web_path, "kind": shelf.id.kind}
        rows.append(
            {**row, "private": shelf.record.private, **_state(shelf, may_read(hub.accounts, shelf, viewer))}
        )
    rows.sort(key=lambda row: str(row["updated"]), reverse=True)
    return {"rows": rows, "kind": kind, "search": search}


def _state(shelf: Shelf, readable: bool) -> dict[str, Any]:
    """Task and last change of a repository, and whether a part of it cannot be read."""
    try:
        oid = shelf.repository.resolve("main")
        words = own_words(shelf, oid, may_read=readable)
        task = pipeline_tag_of(words.metadata, words.config)
        updated = _date(shelf.repository.commit_facts(oid).date)
        return {"task": task, "updated": updated, "broken": bool(words.defects)}
    except HubError:
        return {"task": None, "updated": "", "broken": True}


def frame(visit: Visit, tab: str) -> dict[str, Any]:
    """What every page of a repository shows: its name, its tags, its tabs."""
    oid = visit.repository.resolve("main")
    words = own_words(visit.shelf, oid, may_read=visit.may_read)
    base = f"/{visit.id.web_path}"
    first = {"models": "Model card", "datasets": "Data card", "spaces": "App"}[visit.id.kind]
    tabs = [
        ("card", first, base),
        ("files", "Files", f"{base}/tree/main"),
        ("commits", "Commits", f"{base}/commits/main"),
        ("discussions", "Discussions", f"{base}/discussions"),
    ]
    return {
        "repo": {
            "id": str(visit.id),
            "kind": visit.id.kind,
            "namespace": visit.id.namespace,
            "name": visit.id.name,
            "private": visit.shelf.record.private,
            "gated": visit.shelf.record.gated,
        },
        "broken": words.defects,
        "chips": tags_of(words.metadata, visit.repository.files(oid), words.config),
        "tabs": tabs,
        "tab": tab,
    }


def card_page(visit: Visit) -> dict[str, Any]:
    """The rendered README, the widget, the facts of the metadata, the snippets."""
    oid = visit.repository.resolve("main")
    text = (visit.repository.read(oid, "README.md") or b"").decode("utf-8", "replace")
    metadata = metadata_of(visit.shelf, oid)
    config = visible_config(visit.shelf, oid, may_read=visit.may_read)
    task = pipeline_tag_of(metadata, config)
    files = frozenset(entry.path for entry in visit.repository.files(oid))
    body = render_markdown(split_card(text)[1], page=visit.id.web_path)
    return {
        **frame(visit, "card"),
        "card": Markup(body),
        "widget": _widget(metadata) if task == "text-classification" and visit.id.kind == "models" else None,
        "facts": _facts(metadata, sum(entry.size for entry in visit.repository.files(oid))),
        "snippets": snippets_for(visit.id, visit.endpoint, files, task),
        "app": None,
    }


def _widget(metadata: dict[str, Any]) -> dict[str, Any]:
    examples = metadata.get("widget")
    listed = examples if isinstance(examples, list) else []
    given = [example.get("text") for example in listed if isinstance(example, dict)]
    return {"examples": [text for text in given if isinstance(text, str)][:20]}


def _facts(metadata: dict[str, Any], size: int) -> list[tuple[str, str]]:
    facts = []
    for key in _FACTS:
        value = metadata.get(key)
        if value:
            joined = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            facts.append((key.replace("_", " "), joined))
    return [*facts, ("size", human_size(size))]


def files_page(visit: Visit, revision: str, folder: str) -> dict[str, Any]:
    """One folder of a revision, folders first, with the last commit of each entry."""
    oid = visit.repository.resolve(revision)
    entries = visit.repository.entries(oid)
    prefix = f"{folder}/" if folder else ""
    if folder and not any(entry.path == folder and entry.is_folder for entry in entries):
        raise entry_not_found(folder, oid)
    inside = [
        entry for entry in entries if entry.path.startswith(prefix) and "/" not in entry.path[len(prefix) :]
    ]
    inside.sort(key=lambda entry: (not entry.is_folder, entry.path))
    last = visit.repository.last_changes(oid, {entry.path for entry in inside})
    root = f"/{visit.id.web_path}/tree/{quote(revision, safe='')}"
    parts = folder.split("/") if folder else []
    crumbs = [(part, f"{root}/{quote('/'.join(parts[: n + 1]))}") for n, part in enumerate(parts)]
    rows = []
    for entry in inside:
        facts = last.get(entry.path)
        row = {
            "name": entry.path[len(prefix) :],
            "folder": entry.is_folder,
            "title": facts.title if facts else "",
        }
        link = _file_link(visit, revision, entry)
        large = entry.pointer.oid if entry.pointer else None
        size = "" if entry.is_folder else human_size(entry.size)
        rows.append(
            {**row, "link": link, "large": large, "size": size, "date": _date(facts.date) if facts else ""}
        )
    total = human_size(sum(entry.size for entry in entries if entry.path.startswith(prefix)))
    page = {"rows": rows, "revision": revision, "root": root, "crumbs": crumbs, "total": total}
    return {**frame(visit, "files"), **page}


def _file_link(visit: Visit, revision: str, entry: Entry) -> str:
    verb = "tree" if entry.is_folder else "resolve"
    return f"/{visit.id.web_path}/{verb}/{quote(revision, safe='')}/{quote(entry.path)}"


def commits_page(visit: Visit, revision: str, page: int) -> dict[str, Any]:
    """Fifty commits, newest first."""
    oid = visit.repository.resolve(revision)
    found = visit.repository.history(oid, skip=page * _COMMITS, limit=_COMMITS + 1)
    commits = [
        {
            "oid": facts.oid,
            "title": facts.title,
            "message": facts.message,
            "author": facts.author,
            "date": _date(facts.date),
            "link": f"/{visit.id.web_path}/tree/{facts.oid}",
        }
        for facts in found[:_COMMITS]
    ]
    older = f"?p={page + 1}" if len(found) > _COMMITS else None
    return {**frame(visit, "commits"), "commits": commits, "older": older}


def discussions_page(visit: Visit, number: int | None) -> dict[str, Any]:
    """All discussions, or one of them with its events and diff."""
    known = visit.shelf.record.discussions
    shown = [pulls.find_discussion(visit.shelf, number)] if number else list(reversed(known))
    rows = [
        {
            "num": item.num,
            "title": item.title,
            "kind": "pull request" if item.is_pull_request else "discussion",
            "status": item.status,
            "author": item.author,
            "date": item.created_at[:16].replace("T", " "),
            "link": f"/{visit.id.web_path}/discussions/{item.num}",
        }
        for item in shown
    ]
    return {
        **frame(visit, "discussions"),
        "rows": rows,
        "detail": _detail(visit, shown[0]) if number else None,
    }


def _detail(visit: Visit, item: Discussion) -> dict[str, Any]:
    full = pulls.describe_fully(visit.shelf, item, may_read=visit.may_read)
    events = [
        {
            "author": event["author"]["name"],
            "date": event["createdAt"][:16].replace("T", " "),
            "text": _event_text(event),
        }
        for event in full["events"]
    ]
    return {"events": events, "diff": full.get("diff")}


def _event_text(event: dict[str, Any]) -> str:
    data = event["data"]
    if event["type"] == "comment":
        return str(data["latest"]["raw"])
    if event["type"] == "commit":
        return f"Commit {data['oid'][:7]}: {data['subject']}"
    if event["type"] == "status-change":
        return f"Status: {data['status']}"
    return f"Renamed from {data['from']}"
