"""The rule about large files: a repository serves, and takes pointers to, only what was sent to itself.

All bytes lie once in the common store under their sha256, so knowing a sha256 must never be enough. Whatever
reads an object, answers "already there" or accepts a pointer asks the holdings of its repository.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from local_hub.durable import write_atomically
from local_hub.errors import HubError, bad_request
from local_hub.objects import IncomingObject, ObjectStore, Pointer, check_oid


@dataclass(frozen=True)
class HeldObject:
    """A large file that this repository received: where it lies, its bytes, and who sent it."""

    oid: str
    path: Path
    size: int
    senders: frozenset[str]
    """Empty for what was received before senders were noted."""


class Holdings:
    """The large files of one repository; a marker for each stands in its folder."""

    def __init__(self, folder: Path, store: ObjectStore) -> None:
        self._folder = folder
        self._store = store
        self._lock = threading.Lock()

    def find(self, oid: str) -> HeldObject | None:
        """The object, None unless it was sent to this repository; 400 for what is no sha256."""
        marker = self._folder / check_oid(oid)
        size = self._store.size(oid) if marker.exists() else None
        if size is None:
            return None
        senders = frozenset(marker.read_text(encoding="utf-8").split())
        return HeldObject(oid, self._store.path(oid), size, senders)

    def keep(self, incoming: IncomingObject, oid: str, size: int | None, sender: str) -> Pointer:
        """Make an upload an object of this repository; 400 when it is not what was announced."""
        pointer = incoming.keep(oid, size)
        self.note(oid, sender)
        return pointer

    def note(self, oid: str, sender: str) -> None:
        """Remember who sent the object; only for whoever has just received all of its bytes."""
        with self._lock:
            known = self.find(oid)
            if known is None or sender not in known.senders:
                senders = {sender} | (known.senders if known else set())
                write_atomically(self._folder / oid, "\n".join(sorted(senders)).encode())


def pointer_refused(path: str, oid: str) -> HubError:
    """400: nobody sent these bytes here; the same whether or not another repository holds them."""
    return bad_request(
        f"{path} is a Git LFS pointer to {oid}, which was not uploaded to this repository. "
        "Upload the file first."
    )
