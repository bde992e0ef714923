"""Tables and results wait on the disk for their visitors, who leave without saying so."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

KEEP_SECONDS = 3600


@cache
def root() -> Path:
    """Return the folder of this process, which no other user can read and which goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="finsent-"))
    atexit.register(discard, folder)
    return folder


def make_folder() -> Path:
    """Return a new folder, after what nobody will come back for was deleted."""
    sweep(root(), KEEP_SECONDS)
    return Path(tempfile.mkdtemp(dir=root()))


def discard(folder: Path) -> None:
    """Delete a folder that nobody can see any more."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(kept: Path, seconds: float) -> None:
    """Delete the folders in `kept` that are older than that."""
    for old in list(kept.glob("*")):
        with suppress(FileNotFoundError):  # another visitor's sweep was quicker
            if time.time() - old.stat().st_mtime > seconds:
                discard(old)
