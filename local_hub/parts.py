"""The parts of a multipart upload, waiting to be put together: never more of them than the upload has."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from local_hub.errors import bad_request
from local_hub.room import require_room

Sink = Callable[[bytes], None]


class Parts:
    """The folder of one upload of `size` bytes in parts of `part_size`; one file for each number."""

    def __init__(self, folder: Path, size: int, part_size: int) -> None:
        self._folder = folder
        self._size, self._part_size = size, part_size

    def room_of(self, number: str) -> int:
        """The bytes that the part may have; 400 if the upload has no such part."""
        count = -(-self._size // self._part_size)
        if not re.fullmatch(r"[1-9]\d{0,5}", number) or int(number) > count:
            raise bad_request(f"This upload has the parts 1 to {count}, not {number[:20]!r}.")
        return min(self._part_size, self._size - (int(number) - 1) * self._part_size)

    async def keep(self, number: str, feed: Callable[[Sink], Awaitable[None]]) -> str:
        """Write what `feed` hands over, in place of an earlier content, and return its MD5, the etag."""
        digest = hashlib.md5(usedforsecurity=False)
        draft = self._folder / f"{uuid.uuid4().hex}.draft"
        try:
            with draft.open("xb", buffering=0) as file:

                def take(piece: bytes) -> None:
                    require_room(self._folder, len(piece))
                    view = memoryview(piece)
                    while view:
                        view = view[file.write(view) :]
                    digest.update(piece)

                await feed(take)
            self._replace(draft, int(number), digest.hexdigest())
        finally:
            draft.unlink(missing_ok=True)
        return digest.hexdigest()

    def _replace(self, draft: Path, number: int, etag: str) -> None:
        kept = self._folder / f"{number:06d}.{etag}"
        draft.replace(kept)
        for earlier in self._folder.glob(f"{number:06d}.*"):
            if earlier != kept:
                earlier.unlink(missing_ok=True)

    def path(self, number: int, etag: str) -> Path:
        """Where a part lies; 400 if it was not uploaded, or with another content."""
        path = self._folder / f"{number:06d}.{etag}"
        if not re.fullmatch(r"[0-9a-f]{32}", etag) or not path.exists():
            raise bad_request(f"Part {number} was not uploaded, or its etag is another.")
        return path
