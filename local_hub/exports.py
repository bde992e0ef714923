"""A repository's files at a commit, written to a folder for a process that wants real files."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from local_hub.catalogue import Shelf
from local_hub.hub import Hub
from local_hub.names import check_path
from local_hub.room import require_room
from local_hub.trees import Entry


def write_entry(shelf: Shelf, entry: Entry, target: Path) -> None:
    """Write one file of a commit; a large one only if this repository has it."""
    if entry.pointer is None:
        target.write_bytes(shelf.repository.blob(entry.oid))
    elif held := shelf.large.find(entry.pointer.oid):
        # A copy, not a hard link: whoever gets the file could write through it into the store.
        shutil.copyfile(held.path, target)


def export_files(hub: Hub, shelf: Shelf, oid: str, folder: Path) -> Path:
    """Write every file of the commit below the folder, complete or not at all.

    Paths are checked once more: what was pushed before a rule existed must not leave the folder either.
    """
    if folder.exists():
        return folder
    files = shelf.repository.files(oid)
    require_room(hub.incoming, sum(entry.size for entry in files))
    draft = hub.incoming / uuid.uuid4().hex
    try:
        _write_files(hub, shelf, files, draft)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _write_files(hub: Hub, shelf: Shelf, files: tuple[Entry, ...], draft: Path) -> None:
    draft.mkdir()
    for entry in files:
        target = draft / check_path(entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_entry(shelf, entry, target)
