"""A Hub whose disk is full from a chosen write on.

`python -m tests.attacks.full_disk ROOT PORT TOKEN SWITCH`: with a SWITCH of n bytes the n-th attempt to make,
open for writing or rename a file below ROOT fails, and so do all after it. An empty one means room enough.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

from local_hub.server import serve
from local_hub.settings import HubSettings, TokenGrant

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disk:
    """Counts what changes the disk, as an audit hook of Python."""

    def __init__(self, root: str, switch: str) -> None:
        self._root, self._switch = root, switch
        self._first = self._count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse the event if the disk is full."""
        changes = event in ("os.rename", "os.mkdir") or (event == "open" and arguments[2] & _WRITING)
        path = arguments[0] if arguments else None
        if not changes or isinstance(path, int) or not os.fsdecode(path).startswith(self._root):
            return
        first = os.stat(self._switch).st_size  # noqa: PTH116  (a Path would be made on every call)
        if first != self._first:
            self._first, self._count = first, 0
        self._count += 1
        if first and self._count >= first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsdecode(path))


if __name__ == "__main__":
    root, port, token, switch = sys.argv[1:]
    sys.addaudithook(Disk(root, switch))
    grants = (TokenGrant("ann", "write", token),)
    serve(
        HubSettings(Path(root), port=int(port), tokens=grants, multipart_threshold=1 << 20, part_size=1 << 19)
    )
