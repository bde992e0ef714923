"""Writing files so that a kill at any moment leaves either the old content or the new, never half of one."""

from __future__ import annotations

import os
import shutil
import traceback
import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TypeVar

from dulwich.file import FileLocked

Result = TypeVar("Result")


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
    for leftover in list(repository.rglob(".*.tmp")):
        leftover.unlink(missing_ok=True)
    remove_git_leftovers(repository)


_GIT_LEFTOVERS = ("*.lock", "refs/**/*.lock", "objects/??/*.lock", "objects/tmp_*", "objects/pack/tmp*")


def remove_git_leftovers(repository: Path) -> None:
    """Delete git's lock files, temporaries and packs without an index; only safe for the sole writer."""
    packs = repository.glob("objects/pack/*.pack")
    torn = (pack for pack in packs if not pack.with_suffix(".idx").exists())
    for leftover in list(chain(torn, *map(repository.glob, _GIT_LEFTOVERS))):
        leftover.unlink(missing_ok=True)


def past_leftovers(repository: Path, work: Callable[[], Result]) -> Result:
    """Do the work of the only writer of a git repository: a lock file that stands in its way is nobody's.

    A write that fails leaves none: one of `main.lock` would refuse every later commit.
    """
    for attempt in (1, 2):
        try:
            return work()
        except (OSError, FileLocked) as error:
            # dulwich removes a file's lock again when the file is collected: let that be now, not in a later
            # writer's time
            traceback.clear_frames(error.__traceback__)
            remove_git_leftovers(repository)
            if attempt == 2 or isinstance(error, OSError):
                raise
    raise AssertionError("unreachable: the second attempt returns or raises")
