"""What a repository's trees and commits hold, read from git objects and written to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from stat import S_ISDIR, S_ISREG

from dulwich.object_store import commit_tree_changes
from dulwich.objects import Commit, ObjectID, Tree
from dulwich.repo import Repo

from local_hub.errors import bad_request
from local_hub.objects import MAX_POINTER_BYTES, Pointer, read_pointer

REGULAR_MODE = 0o100644
MAX_FILES = 100_000  # and folders: of a repository, which every page about it walks
_MAX_DEPTH = 64


@dataclass(frozen=True)
class Entry:
    """A file or folder at a commit; `size` in bytes is that of the content, not of its pointer."""

    path: str
    oid: str
    mode: int
    size: int = 0
    pointer: Pointer | None = None

    @property
    def is_folder(self) -> bool:
        """Whether this is a directory."""
        return S_ISDIR(self.mode)


@dataclass(frozen=True)
class Change:
    """One path of a commit: a new blob, or None to delete what is there."""

    path: str
    blob: str | None


@dataclass(frozen=True)
class CommitFacts:
    """A commit as the API tells it."""

    oid: str
    title: str
    message: str
    author: str
    date: datetime
    tree: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Signature:
    """Who commits and why."""

    author: str
    title: str
    description: str = ""

    def message(self) -> bytes:
        """Title, blank line, description; bytes as git stores them."""
        text = self.title + (f"\n\n{self.description}" if self.description else "")
        return text.encode("utf-8", "replace")


def git_identity(name: str) -> bytes:
    """Somebody of this Hub as author, committer or tagger."""
    clean = "".join(character for character in name if character not in "<>\n\0")
    return f"{clean} <{clean}@users.noreply.localhost>".encode("utf-8", "replace")


def git_now() -> int:
    """The time as git counts it, in seconds."""
    return int(datetime.now(UTC).timestamp())


def facts_of(commit: Commit) -> CommitFacts:
    """What the API tells about a git commit; a time that no calendar has becomes 1970."""
    title, _, rest = commit.message.decode("utf-8", "replace").partition("\n")
    author = commit.author.decode("utf-8", "replace").partition(" <")[0]
    try:
        date = datetime.fromtimestamp(commit.commit_time, UTC)
    except (ValueError, OverflowError, OSError):  # a pushed commit may claim any time
        date = datetime.fromtimestamp(0, UTC)
    parents = tuple(parent.decode() for parent in commit.parents)
    return CommitFacts(commit.id.decode(), title, rest.strip(), author, date, commit.tree.decode(), parents)


def check_count(count: int) -> None:
    """400 for more files and folders than a repository may have at one commit."""
    if count > MAX_FILES:
        raise bad_request(
            f"The repository would have {count} files and folders, allowed are {MAX_FILES}. "
            "Put small files together into archives or tables."
        )


def raw_change(change: Change) -> tuple[bytes, int | None, ObjectID | None]:
    """The change as dulwich takes it: path, mode, blob; None twice deletes."""
    if change.blob is None:
        return change.path.encode("utf-8"), None, None
    return change.path.encode("utf-8"), REGULAR_MODE, ObjectID(change.blob.encode())


def apply_changes(repo: Repo, tree: Tree, batch: list[tuple[bytes, int | None, ObjectID | None]]) -> ObjectID:
    """Store the tree with the changes and return its id; 400 if a path leads through a file."""
    try:
        return commit_tree_changes(repo.object_store, tree, batch)
    except (KeyError, AssertionError, NotADirectoryError) as error:
        raise bad_request(
            f"A path in this commit is a file, but there is a folder with its name: {error}"
        ) from None


def entry_of(repo: Repo, path: str, mode: int, sha: ObjectID) -> Entry:
    """The entry of a tree; a small blob is looked into, it may be a pointer to a large file."""
    if S_ISDIR(mode) or not S_ISREG(mode):
        return Entry(path, sha.decode(), mode)
    blob = repo.object_store[sha]
    size = blob.raw_length()
    pointer = read_pointer(blob.as_raw_string()) if size <= MAX_POINTER_BYTES else None
    return Entry(path, sha.decode(), mode, pointer.size if pointer else size, pointer)


def walk_tree(repo: Repo, tree: ObjectID, prefix: str = "", depth: int = 0) -> Iterator[Entry]:
    """Files and folders below a tree; symlinks and submodules are left out, they lead outside."""
    found = repo.object_store[tree]
    if not isinstance(found, Tree) or depth > _MAX_DEPTH:
        return
    for item in found.iteritems():
        path = prefix + item.path.decode("utf-8", "replace")
        if S_ISDIR(item.mode):
            yield Entry(path, item.sha.decode(), item.mode)
            yield from walk_tree(repo, item.sha, f"{path}/", depth + 1)
        elif S_ISREG(item.mode):
            yield entry_of(repo, path, item.mode, item.sha)


def pointers_below(repo: Repo, tree: str, seen: set[str]) -> Iterator[str]:
    """The sha256 of every large file below a tree, without going into what was seen; `seen` grows."""
    waiting = [tree]
    while waiting:
        found = repo.object_store[ObjectID(waiting.pop().encode())]
        for item in found.iteritems() if isinstance(found, Tree) else ():
            oid = item.sha.decode()
            if oid in seen:
                continue
            seen.add(oid)
            if S_ISDIR(item.mode):
                waiting.append(oid)
            elif S_ISREG(item.mode):
                pointer = entry_of(repo, "", item.mode, item.sha).pointer
                if pointer:
                    yield pointer.oid
