"""Room on the disk: asked for before it is taken, and told plainly if there is none."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from local_hub.errors import HubError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What large files leave free, so that histories and records can still be written; less on a small disk.
_SPARE_BYTES, _SPARE_SHARE = 256 << 20, 50


def no_room() -> HubError:
    """507: the disk is full; nothing of the request was kept."""
    return HubError(507, "This Hub has no room left on its disk; nothing was changed. Try again later.")


def is_full(error: BaseException) -> bool:
    """Whether the error says that a disk, a quota or a file is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def require_room(folder: Path, size: int) -> None:
    """507 unless `size` bytes more fit on the folder's disk."""
    disk = shutil.disk_usage(folder)
    if size > disk.free - min(_SPARE_BYTES, disk.total // _SPARE_SHARE):
        raise no_room()


def guarded(write: Callable[[bytes], object], folder: Path) -> Callable[[bytes], object]:
    """The function that writes below the folder, asked only while there is room."""

    def write_within(piece: bytes) -> object:
        require_room(folder, len(piece))
        return write(piece)

    return write_within
