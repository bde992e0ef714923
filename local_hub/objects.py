"""Large files by content address: one copy of each sha256, written through a hash, read by ranges."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_hub.durable import fsync_folder
from local_hub.errors import bad_request
from local_hub.room import require_room

SHA256 = re.compile(r"[0-9a-f]{64}")
POINTER_VERSION = "https://git-lfs.github.com/spec/v1"
MAX_POINTER_BYTES = 1024
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d{1,16})\n?"
)


@dataclass(frozen=True)
class Pointer:
    """What git stores in place of a large file: its sha256 and its size in bytes."""

    oid: str
    size: int

    def to_bytes(self) -> bytes:
        """The pointer file of git-lfs, https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
        return f"version {POINTER_VERSION}\noid sha256:{self.oid}\nsize {self.size}\n".encode()


def read_pointer(content: bytes) -> Pointer | None:
    """The pointer that a git blob holds, or None for ordinary content."""
    match = _POINTER.fullmatch(content) if len(content) <= MAX_POINTER_BYTES else None
    return Pointer(match[1].decode(), int(match[2])) if match else None


def check_oid(oid: str) -> str:
    """Return a sha256 in lower-case hexadecimal, else raise 400; it becomes part of a path."""
    if not SHA256.fullmatch(oid):
        raise bad_request("Invalid object id: a sha256 of 64 lower-case hexadecimal digits is needed.")
    return oid


class IncomingObject:
    """One upload on its way in: hashed while it is written, visible only once it is complete."""

    def __init__(self, store: ObjectStore, limit: int | None = None) -> None:
        require_room(store.incoming, limit or 0)
        self._store = store
        self._limit = limit
        self._path = store.incoming / uuid.uuid4().hex
        self._file = self._path.open("xb", buffering=0)
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Append the bytes; 400 beyond the announced size, 507 when the disk has no room for them."""
        if self._limit is not None and self.size + len(chunk) > self._limit:
            raise bad_request(f"The upload is larger than the {self._limit} bytes that were announced.")
        require_room(self._store.incoming, len(chunk))
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(chunk)
        self.size += len(chunk)

    def digest(self) -> str:
        """The sha256 of what was written so far."""
        return self._hash.hexdigest()

    def keep(self, oid: str, size: int | None = None) -> Pointer:
        """Move the content to its address; 400 when it is not what was announced, and nothing is kept."""
        found = Pointer(self._hash.hexdigest(), self.size)
        if found.oid != oid or (size is not None and found.size != size):
            raise bad_request(
                f"The upload is not what was announced: got {found.size} bytes with sha256 {found.oid}, "
                f"expected {size if size is not None else 'any number of'} bytes with {oid}. Send it again."
            )
        os.fsync(self._file.fileno())
        target = self._store.path(oid)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(target)
        fsync_folder(target.parent)
        return found


class ObjectStore:
    """The folder of all large files; which repository may use which is the repositories' affair."""

    def __init__(self, folder: Path, incoming: Path) -> None:
        self.folder = folder
        self.incoming = incoming
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, oid: str) -> Path:
        """Where the object lies or would lie."""
        check_oid(oid)
        return self.folder / oid[:2] / oid[2:4] / oid

    def size(self, oid: str) -> int | None:
        """Bytes of a stored object, None if it is not there."""
        try:
            return self.path(oid).stat().st_size
        except FileNotFoundError:
            return None

    def receive(self, size: int | None = None) -> IncomingObject:
        """Start an upload of `size` bytes, if known; use as a context manager, `keep` makes it permanent."""
        return IncomingObject(self, size)
