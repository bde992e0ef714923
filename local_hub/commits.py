"""From the lines of a commit request to a commit: every operation checked as it arrives, applied at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from local_hub.attributes import looks_binary
from local_hub.card import check_card
from local_hub.catalogue import Shelf
from local_hub.errors import HubError, bad_request, revision_not_found, stale_parent
from local_hub.holdings import pointer_refused
from local_hub.names import Kind, check_path
from local_hub.objects import MAX_POINTER_BYTES, Pointer, read_pointer
from local_hub.request_body import parse_json
from local_hub.room import require_room
from local_hub.trees import Change, Signature, check_count
from local_hub.visits import Visit

MAX_OPERATIONS = 25_000


class _Header(BaseModel):
    summary: str = ""
    description: str | None = ""
    parentCommit: str | None = None


class _File(BaseModel):
    path: str
    content: str = ""
    encoding: str = "base64"


class _LargeFile(BaseModel):
    path: str
    algo: str = "sha256"
    oid: str
    size: int | None = None


class _Deletion(BaseModel):
    path: str


@dataclass(frozen=True)
class Committed:
    """What a commit request brought about."""

    oid: str
    title: str


def check_readme(content: bytes, kind: Kind) -> None:
    """400 with every finding when a README's metadata breaks the Hub's rules."""
    findings = check_card(content.decode("utf-8", "replace"), kind)
    if findings.errors:
        raise bad_request(
            "Invalid metadata in README.md.\n" + "\n".join(f"- {error}" for error in findings.errors),
            errors=[{"message": error} for error in findings.errors],
            warnings=[{"message": warning} for warning in findings.warnings],
        )


def check_regular(path: str, content: bytes, limit: int) -> None:
    """400 for a file that must not be in git itself: over the limit in bytes, or binary."""
    if len(content) > limit:
        raise bad_request(
            f"{path} has {len(content)} bytes; files over {limit} bytes must be stored with Git LFS or Xet. "
            "See https://hf.co/docs/hub/repositories-getting-started#terminal"
        )
    if looks_binary(content):
        raise bad_request(f"{path} is a binary file and must be stored with Git LFS or Xet.")


def check_pointer(visit: Visit, path: str, oid: str, size: int | None) -> Pointer:
    """The pointer with its size in bytes; 400 for another size or an object that the viewer may not use."""
    held = visit.find_object(oid)
    if held is None:
        raise pointer_refused(path, oid)
    if size is not None and held.size != size:
        raise bad_request(
            f"{path}: the uploaded object {held.oid} has {held.size} bytes, the commit says {size}."
        )
    return Pointer(oid, held.size)


class CommitDraft:
    """Collects the operations of one commit; contents go to disk line by line, so memory stays flat."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._limit = visit.hub.settings.regular_file_limit
        self._shelf = visit.shelf
        self._header: _Header | None = None
        self._blobs: dict[str, str] = {}
        self._deleted_files: set[str] = set()
        self._deleted_folders: set[str] = set()
        self._count = 0

    def add_line(self, line: bytes) -> None:
        """Take one NDJSON line; 400 when it cannot be understood or breaks a rule."""
        if not line.strip():
            return
        self._count += 1
        if self._count > MAX_OPERATIONS + 1:
            raise bad_request(f"A commit can contain {MAX_OPERATIONS} operations; split it into several.")
        key, value = _read_line(line)
        handlers: dict[str, Callable[[Any], None]] = {
            "header": self._take_header,
            "file": self._take_file,
            "lfsFile": self._take_large_file,
            "deletedFile": lambda given: self._deleted_files.add(check_path(_Deletion(**given).path)),
            "deletedFolder": lambda given: self._deleted_folders.add(
                check_path(_Deletion(**given).path.rstrip("/"))
            ),
        }
        if key not in handlers:
            raise bad_request(f"Unknown commit operation {key[:50]!r}: allowed are {', '.join(handlers)}.")
        try:
            handlers[key](value)
        except ValidationError as error:
            raise bad_request(f"Invalid commit operation {key}: {_first_problem(error)}") from None

    def _take_header(self, value: dict[str, Any]) -> None:
        self._header = _Header(**value)

    def _take_file(self, value: dict[str, Any]) -> None:
        file = _File(**value)
        path = check_path(file.path)
        content = _decode(file)
        check_regular(path, content, self._limit)
        pointer = read_pointer(content) if len(content) <= MAX_POINTER_BYTES else None
        if pointer:
            check_pointer(self._visit, path, pointer.oid, pointer.size)
        if path == "README.md":
            check_readme(content, self._shelf.id.kind)
        require_room(self._visit.hub.incoming, len(content))
        self._blobs[path] = self._shelf.repository.add_blob(content)

    def _take_large_file(self, value: dict[str, Any]) -> None:
        file = _LargeFile(**value)
        path = check_path(file.path)
        if file.algo not in ("sha256", "sha_256"):
            raise bad_request(f"{path}: the algorithm {file.algo[:20]!r} is unknown, use sha256.")
        pointer = check_pointer(self._visit, path, file.oid, file.size)
        self._blobs[path] = self._shelf.repository.add_blob(pointer.to_bytes())

    def signature(self, author: str) -> Signature:
        """Title and description of the commit, in the name of its author; 400 without a header line."""
        if self._header is None:
            raise bad_request("The commit has no header line.")
        title = " ".join(self._header.summary.split())[:1000] or "Update files"
        return Signature(author, title, (self._header.description or "")[:100_000])

    def changes(self, head: str) -> list[Change]:
        """The operations as changes of the tree at `head`; 404 EntryNotFound for a deletion of nothing."""
        existing = {entry.path: entry.is_folder for entry in self._shelf.repository.entries(head)}
        gone = {path for path in self._deleted_files if path not in self._blobs}
        for path in self._deleted_files:
            if existing.get(path) is not False:
                raise _nothing_to_delete(path)
        for folder in self._deleted_folders:
            inside = {
                path
                for path, is_folder in existing.items()
                if not is_folder and path.startswith(f"{folder}/")
            }
            if not inside:
                raise _nothing_to_delete(folder)
            gone |= inside - self._blobs.keys()
        for path in self._blobs:
            remaining = (other for other in existing if other.startswith(f"{path}/") and not existing[other])
            if existing.get(path) and any(other not in gone for other in remaining):
                raise bad_request(f"{path} is a folder; delete it before a file takes its name.")
        check_count(len((existing.keys() | self._blobs.keys()) - gone))
        return [Change(path, None) for path in sorted(gone)] + [
            Change(*item) for item in sorted(self._blobs.items())
        ]

    def commit(self, ref: str, author: str) -> Committed:
        """Apply everything to the branch or pull request; 412 if the announced parent is not its head."""
        repository = self._shelf.repository
        signature = self.signature(author)
        with repository.lock:
            head = repository.resolve(ref)
            self.check_parent(head)
            oid = repository.write_commit((head,), self.changes(head), signature)
            if not repository.point(ref, oid, head):
                raise stale_parent()
        return Committed(oid, signature.title)

    def commit_aside(self, base: str, author: str) -> Committed:
        """Store the commit on top of `base` without moving a reference, for a new pull request."""
        repository = self._shelf.repository
        signature = self.signature(author)
        head = repository.resolve(base)
        self.check_parent(head)
        return Committed(repository.write_commit((head,), self.changes(head), signature), signature.title)

    def check_parent(self, head: str) -> None:
        """412 when the client's parent commit is not the head."""
        parent = self._header.parentCommit if self._header else None
        if parent and parent != head:
            raise stale_parent()

    @property
    def description(self) -> str:
        """The text below the title."""
        return (self._header.description or "") if self._header else ""


def writable_ref(shelf: Shelf, revision: str) -> str:
    """The branch or pull request that a commit request names; 404 or 400 for anything else."""
    ref = shelf.repository.find_ref(revision)
    if ref is None:
        raise revision_not_found(revision)
    if not ref.startswith(("refs/heads/", "refs/pr/")):
        raise bad_request(f"{revision} is not a branch; commit to a branch or a pull request.")
    return ref


def _read_line(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        operation = parse_json(line)
        key, value = operation["key"], operation["value"]
    except (KeyError, TypeError):
        raise bad_request(
            'Invalid commit line: each must be a JSON object {"key": …, "value": {…}}.'
        ) from None
    if not isinstance(key, str) or not isinstance(value, dict):
        raise bad_request('Invalid commit line: "key" must be a string and "value" an object.')
    return key, value


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"


def _decode(file: _File) -> bytes:
    try:
        if file.encoding == "base64":
            return base64.b64decode(file.content, validate=True)
        if file.encoding == "utf-8":
            return file.content.encode("utf-8")
    except (binascii.Error, ValueError):
        raise bad_request(f"{file.path[:100]}: the content is not valid {file.encoding}.") from None
    raise bad_request(f"{file.path[:100]}: the encoding {file.encoding[:20]!r} is unknown, use base64.")


def _nothing_to_delete(path: str) -> HubError:
    return HubError(404, f"A file with this name doesn't exist: {path}", code="EntryNotFound")
