"""All repositories of a Hub: found on disk, created, moved and deleted by renames."""

from __future__ import annotations

import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from local_hub.durable import fsync_folder, remove_stale_locks, write_atomically
from local_hub.errors import HubError
from local_hub.holdings import Holdings
from local_hub.names import KINDS, RepoId
from local_hub.objects import ObjectStore
from local_hub.record import Record, Secrets
from local_hub.repository import Repository
from local_hub.xet import XetStore

_RECORD = "hub.json"
_SECRETS = "secrets.json"
log = logging.getLogger("local_hub")


class Shelf:
    """One repository of the catalogue: its id, its record, its git repository."""

    def __init__(self, repo_id: RepoId, folder: Path, objects: ObjectStore) -> None:
        self.id = repo_id
        self.folder = folder
        self.large = Holdings(folder / "large", objects)
        self.xet = XetStore(folder, objects)
        self._objects = objects
        self.repository = Repository(folder)
        self.record = Record.model_validate_json((folder / _RECORD).read_bytes())

    def xet_of(self, contributor: str) -> XetStore:
        """The Xet side for somebody who only proposes changes, apart from what the owners published."""
        return XetStore(self.folder / "contributed" / contributor, self._objects)

    def update(self, change: Callable[[Record], Record]) -> Record:
        """Replace the record by what `change` makes of it, on disk before in memory."""
        with self.repository.lock:
            record = change(self.record)
            write_atomically(self.folder / _RECORD, record.model_dump_json().encode())
            self.record = record
        return record

    def secret_values(self) -> dict[str, str]:
        """The Space's secrets; for its process only, never for an answer."""
        path = self.folder / _SECRETS
        return Secrets.model_validate_json(path.read_bytes()).values if path.exists() else {}

    def write_secrets(self, values: dict[str, str]) -> None:
        """Replace the secrets."""
        write_secrets(self.folder, values)


def write_secrets(folder: Path, values: dict[str, str]) -> None:
    """Replace a repository's secrets, in a file that only the owner of the process may read."""
    content = Secrets(values=values).model_dump_json().encode()
    write_atomically(folder / _SECRETS, content, mode=0o600)


class Catalogue:
    """The index of repositories below a folder; everything is on disk, this only remembers where."""

    def __init__(self, folder: Path, objects: ObjectStore) -> None:
        self._folder = folder
        self._objects = objects
        self._incoming = objects.incoming
        self._lock = threading.RLock()
        self._shelves: dict[RepoId, Shelf] = {}
        self._moved: dict[RepoId, str] = {}
        self._records: dict[str, RepoId] = {}
        for kind in KINDS:
            for path in sorted((folder / kind).glob("*/*.git")):
                remove_stale_locks(path)
                repo_id = RepoId(kind, path.parent.name, path.name.removesuffix(".git"))
                try:
                    self._add(Shelf(repo_id, path, objects))
                except (ValueError, OSError) as error:  # who may see it is not known, so nobody does
                    log.error("%s is left out because its %s cannot be read: %s", path, _RECORD, error)

    def _add(self, shelf: Shelf) -> Shelf:
        self._shelves[shelf.id] = shelf
        self._records[shelf.record.id] = shelf.id
        for name in shelf.record.former_names:
            self._moved[RepoId(shelf.id.kind, *name.split("/"))] = shelf.record.id
        return shelf

    def _path(self, repo_id: RepoId) -> Path:
        return self._folder / repo_id.kind / repo_id.namespace / f"{repo_id.name}.git"

    def get(self, repo_id: RepoId) -> Shelf | None:
        """The repository, None if there is none of that id."""
        return self._shelves.get(repo_id)

    def find_record(self, record_id: str) -> Shelf | None:
        """The repository whose record has that id, whatever it is called now; None if it is gone."""
        with self._lock:
            repo_id = self._records.get(record_id)
            return self._shelves.get(repo_id) if repo_id else None

    def find_moved(self, repo_id: RepoId) -> Shelf | None:
        """The repository that once had that id, None if there is none or the id is taken again."""
        with self._lock:
            record_id = self._moved.get(repo_id) if repo_id not in self._shelves else None
            return self.find_record(record_id) if record_id else None

    def all(self) -> list[Shelf]:
        """Every repository, the newest first."""
        with self._lock:
            return sorted(self._shelves.values(), key=lambda shelf: shelf.record.created_at, reverse=True)

    def create(self, repo_id: RepoId, record: Record, fill: Callable[[Repository], None]) -> Shelf:
        """Build the repository aside, let `fill` write its first commit, put it in place; 409 if taken."""
        with self._lock:
            if repo_id in self._shelves:
                raise HubError(409, f"You already created this {repo_id.type} repo")
            if self._path(repo_id).exists():
                raise HubError(409, f"The Hub's folder has a broken {repo_id.type} with this name.")
            draft = self._incoming / f"{uuid.uuid4().hex}.git"
            draft.mkdir()
            try:
                fill(Repository.init(draft))
                write_atomically(draft / _RECORD, record.model_dump_json().encode())
                return self._place(draft, repo_id)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise

    def _place(self, folder: Path, repo_id: RepoId) -> Shelf:
        target = self._path(repo_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        fsync_folder(target.parent)
        self._end_redirect(repo_id)
        return self._add(Shelf(repo_id, target, self._objects))

    def _end_redirect(self, repo_id: RepoId) -> None:
        """The id belongs to another repository from now on, also once that one is deleted."""
        former = self.find_record(self._moved.pop(repo_id, ""))
        if former:
            names = tuple(name for name in former.record.former_names if name != str(repo_id))
            former.update(lambda record: record.model_copy(update={"former_names": names}))

    def delete(self, repo_id: RepoId) -> None:
        """Take the repository away; large files stay, others may use them."""
        with self._lock:
            shelf = self._shelves.pop(repo_id)
            self._records.pop(shelf.record.id)
            with shelf.repository.lock:
                grave = self._incoming / f"{uuid.uuid4().hex}.deleted"
                shelf.folder.rename(grave)
        fsync_folder(shelf.folder.parent)
        shutil.rmtree(grave, ignore_errors=True)

    def move(self, source: RepoId, target: RepoId) -> Shelf:
        """Give the repository another name, to which the old one leads from now on; 409 if that is taken."""
        with self._lock:
            if target in self._shelves:
                raise HubError(409, f"A {target.type} repo named {target} already exists")
            shelf = self._shelves[source]
            former = (name for name in shelf.record.former_names if name != str(target))
            names = tuple(dict.fromkeys((*former, str(source))))
            with shelf.repository.lock:
                shelf.update(lambda record: record.model_copy(update={"former_names": names}))
                del self._shelves[source]
                return self._place(shelf.folder, target)
