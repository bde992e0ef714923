"""Writing files so that a kill at any moment leaves either the old content or the new, never half of one."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make renames inside the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the file's content in one step: temporary file, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def empty_folder(folder: Path) -> None:
    """Create the folder if missing and delete whatever a former run left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def remove_stale_locks(repository: Path) -> None:
    """Delete what a killed writer leaves in a bare git repository: lock files and unfinished temporaries.

    Only safe while no other process writes there; the server holds the root exclusively when it calls this.
    """
    for pattern in ("*.lock", ".*.tmp", "objects/pack/tmp_pack_*", "objects/tmp_obj_*"):
        for leftover in list(repository.rglob(pattern)):
            leftover.unlink(missing_ok=True)
