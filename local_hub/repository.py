"""One repository on disk: a bare git repository read and written through dulwich."""

from __future__ import annotations

import logging
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

from dulwich.errors import ChecksumMismatch, NotGitRepository, NotTreeError, ObjectFormatException
from dulwich.object_store import tree_lookup_path
from dulwich.objects import (
    Blob,
    Commit,
    EmptyFileException,
    ObjectID,
    SubmoduleEncountered,
    Tag,
    Tree,
    valid_hexsha,
)
from dulwich.refs import Ref, SymrefLoop
from dulwich.repo import Repo

from local_hub.ancestry import Ancestry
from local_hub.durable import fsync_folder, past_leftovers, remove_git_leftovers
from local_hub.errors import HubError, revision_not_found
from local_hub.last_commits import LastCommits
from local_hub.names import check_ref_name
from local_hub.published import Published, peel
from local_hub.trees import (
    Change,
    CommitFacts,
    Entry,
    Signature,
    apply_changes,
    entry_of,
    facts_of,
    raw_change,
    walk_tree,
)

log = logging.getLogger("local_hub")

_CACHED_TREES = 16
_DAMAGE = (ChecksumMismatch, EmptyFileException, NotGitRepository, ObjectFormatException, zlib.error)
Result = TypeVar("Result")


class Repository:
    """Reads and writes one bare repository; safe to use from many threads, one writer at a time by `lock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self._trees: OrderedDict[str, tuple[Entry, ...]] = OrderedDict()
        self._trees_lock = threading.Lock()
        self._ancestry = Ancestry()
        self._published = Published(self._ancestry)
        self._last_commits = LastCommits()

    @staticmethod
    def init(folder: Path) -> Repository:
        """Create an empty bare repository in an empty, existing folder."""
        with Repo.init_bare(folder, default_branch=b"main") as repo:
            config = repo.get_config()
            config.set((b"core",), b"fsyncObjectFiles", True)
            config.set((b"core",), b"logallrefupdates", False)
            config.write_to_path()
        (folder / "large").mkdir()
        return Repository(folder)

    @contextmanager
    def git(self) -> Iterator[Repo]:
        """The dulwich repository, opened for this use: 0.2 ms, and nothing is shared between threads.

        422 for a store that lacks an object or holds one that cannot be read.
        """
        try:
            with Repo(str(self.folder)) as repo:
                yield repo
        except (KeyError, *_DAMAGE) as error:
            if isinstance(error, KeyError) and not _names_object(error):
                raise
            log.warning("%s is damaged: %r", self.folder, error)
            raise HubError(422, "This repository is broken: a part of its history cannot be read.") from None

    def _write(self, work: Callable[[Repo], Result]) -> Result:
        """Do the work as the only writer; what it leaves when it fails is removed."""
        with self.lock, self.git() as repo:
            return past_leftovers(self.folder, lambda: work(repo))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock for a writer that is not ours (dulwich's receive-pack), without leftovers of any."""
        with self.lock:
            remove_git_leftovers(self.folder)
            try:
                yield
            finally:
                remove_git_leftovers(self.folder)

    # references

    def refs(self, prefix: str) -> dict[str, str]:
        """Names below `refs/heads/`, `refs/tags/` or `refs/pr/` with the commits they lead to."""
        with self.git() as repo:
            names = repo.refs.as_dict(Ref(prefix.encode().rstrip(b"/")))
            peeled = {
                name.decode("utf-8", "replace"): peel(repo, sha)
                for name, sha in names.items()
                if valid_hexsha(sha)
            }
        return {name: commit.id.decode() for name, commit in sorted(peeled.items()) if commit is not None}

    def find_ref(self, revision: str) -> str | None:
        """The full name of a branch, tag or pull request, None if there is none of that name."""
        try:
            check_ref_name(revision)
        except HubError:  # what no reference can be called, there is no reference of
            return None
        candidates = (f"refs/heads/{revision}", f"refs/tags/{revision}", revision)
        with self.git() as repo:
            for candidate in candidates:
                if candidate.startswith("refs/") and _read_ref(repo, candidate):
                    return candidate
        return None

    def resolve(self, revision: str) -> str:
        """The commit of a branch, tag, `refs/…`, HEAD or (short) commit id; RevisionNotFound otherwise.

        An id must be that of a commit which a reference leads to: what was refused, or whose branch was
        deleted, may still lie in the store and is nobody's to read.
        """
        name = "main" if revision == "HEAD" else revision
        full_name = self.find_ref(name)
        if full_name is None:
            found = self._find_commit(name)
        else:
            with self.git() as repo:
                sha = _read_ref(repo, full_name)
                commit = peel(repo, sha) if sha else None
            found = commit.id.decode() if commit else None
        if found is None:
            raise revision_not_found(revision)
        return found

    def _find_commit(self, name: str) -> str | None:
        """A full commit id, or the only commit whose id starts with at least seven hexadecimal digits."""
        if not 7 <= len(name) <= 40 or set(name) - set("0123456789abcdef"):
            return None
        reachable = self.reachable()
        if len(name) == 40:
            return name if name in reachable else None
        matches = [oid for oid in reachable if oid.startswith(name)]
        return matches[0] if len(matches) == 1 else None

    def reachable(self) -> Set[str]:
        """Every commit that a reference leads to; found once, and again after a reference moved."""
        found = self._published.commits()
        if found is None:
            with self.lock, self.git() as repo:
                found = self._published.find_commits(repo)
        return found

    def publishes(self, oid: str) -> bool:
        """Whether a file of a commit that a reference leads to is that large object."""
        if any(entry.pointer and entry.pointer.oid == oid for entry in self.entries(self.resolve("main"))):
            return True
        commits = frozenset(self.reachable())
        with self.git() as repo:
            return self._published.points_to(repo, commits, oid)

    def read_ref(self, ref: str) -> str | None:
        """The object that a reference names (an annotated tag's is the tag), None if there is no such one."""
        with self.git() as repo:
            sha = _read_ref(repo, ref)
        return sha.decode() if sha else None

    def point(self, ref: str, new: str | None, old: str | None) -> bool:
        """Move, create (old None) or delete (new None) a reference if it still is at `old`; False if not."""
        name = Ref(ref.encode())
        before = ObjectID(old.encode()) if old else None

        def move(repo: Repo) -> bool:
            if _read_ref(repo, ref) != before:
                return False
            self._published.forget()
            try:
                if new is None:
                    return repo.refs.remove_if_equals(name, before)
                if before is None:
                    return repo.refs.add_if_new(name, ObjectID(new.encode()))
                return repo.refs.set_if_equals(name, before, ObjectID(new.encode()))
            except (NotADirectoryError, IsADirectoryError) as error:
                raise HubError(
                    409, f"Reference {ref} collides with another one: {type(error).__name__}"
                ) from None

        return self._write(move)

    def create_ref(self, ref: str, commit: str) -> None:
        """Create a branch or tag; 409 if it exists or collides with another name."""
        check_ref_name(ref)
        if not self.point(ref, commit, None):
            raise HubError(409, f"Reference already exists: {ref}")
        fsync_folder(self.folder / "refs")

    def create_tag(self, tag: str, commit: str, message: str | None, author: str) -> None:
        """Create a light tag, or an annotated one when there is a message; 409 if it exists."""
        check_ref_name(tag)
        target = self._annotate(tag, commit, message, author) if message else commit
        self.create_ref(f"refs/tags/{tag}", target)

    def _annotate(self, tag: str, commit: str, message: str, author: str) -> str:
        annotated = Tag()
        annotated.name, annotated.message = tag.encode(), message.encode("utf-8", "replace")
        annotated.object = (Commit, ObjectID(commit.encode()))
        annotated.tagger, annotated.tag_time, annotated.tag_timezone = _identity(author), _now(), 0
        self._write(lambda repo: repo.object_store.add_object(annotated))
        return annotated.id.decode()

    def delete_ref(self, ref: str) -> None:
        """Delete a branch or tag; RevisionNotFound if there is none."""

        def remove(repo: Repo) -> None:
            before = _read_ref(repo, ref)
            self._published.forget()
            if before is None or not repo.refs.remove_if_equals(Ref(ref.encode()), before):
                raise revision_not_found(ref.split("/", 2)[-1])

        self._write(remove)

    # reading

    def commit_facts(self, oid: str) -> CommitFacts:
        """The commit of a resolved id."""
        with self.git() as repo:
            commit = peel(repo, ObjectID(oid.encode()))
        if commit is None:
            raise revision_not_found(oid)
        return facts_of(commit)

    def history(self, oid: str, *, skip: int = 0, limit: int | None = None) -> list[CommitFacts]:
        """The commit and its ancestors, children before parents, else the newest first."""
        with self.git() as repo:
            order = self._ancestry.ordered(repo.object_store, oid)
            return _facts(repo, order[skip : None if limit is None else skip + limit])

    def fork_point(self, base: str, head: str) -> str | None:
        """The newest commit that both have, None if they share nothing."""
        with self.git() as repo:
            return self._ancestry.fork_point(repo.object_store, base, head)

    def commits_ahead(self, base: str, head: str) -> list[CommitFacts]:
        """The commits of `head` that `base` does not have, parents first."""
        with self.git() as repo:
            behind = self._ancestry.ancestors(repo.object_store, [base])
            order = self._ancestry.ordered(repo.object_store, head)
            return _facts(repo, [oid for oid in reversed(order) if oid not in behind])

    def files(self, oid: str) -> tuple[Entry, ...]:
        """Every file at a commit, sorted by path."""
        return tuple(entry for entry in self.entries(oid) if not entry.is_folder)

    def entries(self, oid: str) -> tuple[Entry, ...]:
        """Every file and folder at a commit, by path; trees never change, so the newest few are kept."""
        tree = self.commit_facts(oid).tree
        with self._trees_lock:
            if tree in self._trees:
                self._trees.move_to_end(tree)
                return self._trees[tree]
        with self.git() as repo:
            found = tuple(sorted(walk_tree(repo, ObjectID(tree.encode())), key=lambda entry: entry.path))
        with self._trees_lock:
            self._trees[tree] = found
            while len(self._trees) > _CACHED_TREES:
                self._trees.popitem(last=False)
        return found

    def find(self, oid: str, path: str) -> Entry | None:
        """The file or folder at that path of a commit, None if there is none."""
        tree = self.commit_facts(oid).tree
        with self.git() as repo:
            try:
                lookup = repo.object_store.__getitem__
                mode, sha = tree_lookup_path(lookup, ObjectID(tree.encode()), path.encode("utf-8"))
            except (KeyError, ValueError, NotTreeError, SubmoduleEncountered):
                return None
            return entry_of(repo, path, mode, sha)

    def blob(self, oid: str) -> bytes:
        """The content of a regular file's blob."""
        with self.git() as repo:
            content = repo.object_store[ObjectID(oid.encode())]
            return content.as_raw_string() if isinstance(content, Blob) else b""

    def read(self, oid: str, path: str) -> bytes | None:
        """The content of a regular file at a commit; None if it is missing, a folder or a large file."""
        entry = self.find(oid, path)
        if entry is None or not S_ISREG(entry.mode) or entry.pointer:
            return None
        return self.blob(entry.oid)

    def last_changes(self, oid: str, paths: set[str]) -> dict[str, CommitFacts]:
        """For each path the newest commit that changed it; those too far back for one walk are left out."""
        with self.git() as repo:
            return self._last_commits.find(repo.object_store, oid, paths)

    # writing

    def add_blob(self, content: bytes) -> str:
        """Store content; it belongs to no commit yet."""
        blob = Blob.from_string(content)
        self._write(lambda repo: repo.object_store.add_object(blob))
        return blob.id.decode()

    def write_commit(self, parents: tuple[str, ...], changes: list[Change], signature: Signature) -> str:
        """Store a commit with the changes applied to the first parent's tree; no reference moves.

        Raises 400 when a path is both a file and a folder.
        """

        def write(repo: Repo) -> str:
            tree = self._changed_tree(repo, parents[0] if parents else None, changes)
            commit = Commit()
            commit.tree = tree
            commit.parents = [ObjectID(parent.encode()) for parent in parents]
            commit.author = commit.committer = _identity(signature.author)
            commit.author_time = commit.commit_time = _now()
            commit.author_timezone = commit.commit_timezone = 0
            commit.encoding, commit.message = b"UTF-8", signature.message()
            repo.object_store.add_object(commit)
            return commit.id.decode()

        return self._write(write)

    def _changed_tree(self, repo: Repo, parent: str | None, changes: list[Change]) -> ObjectID:
        store = repo.object_store
        tree = Tree()
        if parent is None:
            store.add_object(tree)
        else:
            commit = store[ObjectID(parent.encode())]
            assert isinstance(commit, Commit)
            tree_object = store[commit.tree]
            assert isinstance(tree_object, Tree)
            tree = tree_object
        # Deletions first: a folder may make room for a file of the same name, and the other way round.
        ordered = sorted(changes, key=lambda change: change.blob is not None)
        for removing in (True, False):
            batch = [raw_change(change) for change in ordered if (change.blob is None) is removing]
            if batch:
                tree_id = apply_changes(repo, tree, batch)
                applied = store[tree_id]
                assert isinstance(applied, Tree)
                tree = applied
        return tree.id


def _names_object(error: KeyError) -> bool:
    """Whether what is missing is an object of the store, and no key of our own."""
    return bool(error.args) and isinstance(error.args[0], bytes) and len(error.args[0]) in (20, 40)


def _identity(name: str) -> bytes:
    clean = "".join(character for character in name if character not in "<>\n\0")
    return f"{clean} <{clean}@users.noreply.localhost>".encode("utf-8", "replace")


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


def _facts(repo: Repo, commits: list[str]) -> list[CommitFacts]:
    found = (repo.object_store[ObjectID(oid.encode())] for oid in commits)
    return [facts_of(commit) for commit in found if isinstance(commit, Commit)]


def _read_ref(repo: Repo, name: str) -> ObjectID | None:
    try:
        found = repo.refs[Ref(name.encode("utf-8"))]
    except (
        KeyError,
        ValueError,
        OSError,
        SymrefLoop,
    ):  # names that no reference can have raise the first three
        return None
    return ObjectID(found) if valid_hexsha(found) else None
