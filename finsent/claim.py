"""Holding a run's folder alone while its release is made, and telling when there is no room in it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from finsent.errors import FinsentError

LOCK = "lock"  # in a run's folder, held while its release is made
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG}
LEAST_FREE_BYTES = 2 * 10**9  # checkpoints, ONNX files and what is made on the way


@contextmanager
def claimed(folder: Path, wait: bool = False, again: str = "run again with --resume") -> Iterator[None]:
    """Hold a run's folder alone; FinsentError if another run has it, or it cannot be written.

    With `wait` another run is waited for. `again` says how to go on once there is room.
    """
    check_disk(folder)
    try:
        with FileLock(folder / LOCK, timeout=-1 if wait else 0):
            yield
    except Timeout:
        raise FinsentError(
            f"{folder}: another run is building this release; wait for it, or choose another --runs"
        ) from None
    except (FinsentError, OSError):
        raise
    except Exception as error:
        if not is_storage_error(error):
            raise
        message = f"{folder}: cannot be written ({error}); free some disk space and {again}"
        raise FinsentError(message) from error


def check_disk(folder: Path) -> None:
    """Raise FinsentError if there is no room for checkpoints and files; better now than after training."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise FinsentError(
            f"{folder}: {free / 1e9:.1f} GB are free, but a run needs {LEAST_FREE_BYTES / 1e9:.0f} GB; "
            "make room"
        )


def is_storage_error(error: BaseException) -> bool:
    """Return whether a failed write is behind an error; safetensors and torch have types of their own."""
    while not isinstance(error, (OSError, SafetensorError)):
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            return "PytorchStreamWriter" in str(error)
        error = following
    return isinstance(error, SafetensorError) or error.errno in NO_ROOM
