"""Writing a file so that a kill or a power cut leaves the old content or the new, never half of one."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Replace a file's content in one step: temporary file, fsync, rename, fsync of the folder."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _fsync_folder(path.parent)


def _fsync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
