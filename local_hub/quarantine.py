"""Where a pushed pack waits until it is judged: a store of its own that nobody else reads.

What is taken moves into the repository; what is refused, or came along without being asked for, is deleted
with the quarantine. git does the same: https://git-scm.com/docs/git-receive-pack#_quarantine_environment.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID
from dulwich.pack import full_unpacked_object
from dulwich.repo import Repo

from local_hub.durable import fsync_folder


@contextmanager
def quarantine(repo: Repo, incoming: Path) -> Iterator[DiskObjectStore]:
    """A new store below `incoming` that also reads the repository's objects; gone when the context ends."""
    folder = incoming / f"{uuid.uuid4().hex}.quarantine"
    (folder / "pack").mkdir(parents=True)
    own = Path(repo.path) / "objects"
    store = DiskObjectStore.from_config(folder, repo.get_config_stack(), alternates=[own])
    try:
        yield store
    finally:
        store.close()
        shutil.rmtree(folder, ignore_errors=True)


def release(store: DiskObjectStore, repo: Repo, wanted: set[str]) -> None:
    """Move the wanted objects into the repository: the pack as it is, or rewritten without the others."""
    own = repo.object_store
    ids = {oid for oid in map(_object_id, wanted) if oid not in own}
    for pack in store.packs:
        if all(oid in ids or oid in own for oid in pack):
            name = Path(pack.data.filename).stem
            pack.close()
            _move(Path(str(store.pack_dir)) / name, Path(str(own.path)) / "pack")
        else:
            chosen = [oid for oid in pack if oid in ids]
            own.add_pack_data(len(chosen), (full_unpacked_object(store[oid]) for oid in chosen))


def _object_id(oid: str) -> ObjectID:
    return ObjectID(oid.encode())


def _move(pack: Path, folder: Path) -> None:
    """The index last: a pack without one is not looked at."""
    for suffix in (".pack", ".idx"):
        pack.with_suffix(suffix).replace(folder / f"{pack.name}{suffix}")
    fsync_folder(folder)
