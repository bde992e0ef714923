"""One repository on disk: its commits and files, read and written as git objects."""

from __future__ import annotations

import threading
from pathlib import Path
from stat import S_ISREG

from dulwich.errors import NotTreeError
from dulwich.object_store import tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, SubmoduleEncountered, Tree
from dulwich.repo import Repo

from local_hub.errors import revision_not_found
from local_hub.last_commits import LastCommits
from local_hub.published import peel
from local_hub.references import References
from local_hub.tree_cache import TreeCache
from local_hub.trees import (
    Change,
    CommitFacts,
    Entry,
    Signature,
    apply_changes,
    entry_of,
    facts_of,
    git_identity,
    git_now,
    raw_change,
    walk_tree,
)

_TREES = TreeCache()


class Repository(References):
    """Reads and writes the commits of one bare repository; safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._walking = threading.Lock()
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
        """Every file and folder at a commit, by path; trees never change, so some are kept."""
        tree = self.commit_facts(oid).tree
        with self._walking:  # whoever asks meanwhile would only walk the same tree beside this one
            found = _TREES.get(self.folder, tree)
            if found is None:
                with self.git() as repo:
                    unsorted = walk_tree(repo, ObjectID(tree.encode()))
                    found = tuple(sorted(unsorted, key=lambda entry: entry.path))
                _TREES.keep(self.folder, tree, found)
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

    def publishes(self, oid: str) -> bool:
        """Whether a file of a commit that a reference leads to is that large object."""
        if any(entry.pointer and entry.pointer.oid == oid for entry in self.entries(self.resolve("main"))):
            return True
        commits = frozenset(self.reachable())
        with self.git() as repo:
            return self._published.points_to(repo, commits, oid)

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
            commit.author = commit.committer = git_identity(signature.author)
            commit.author_time = commit.commit_time = git_now()
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


def _facts(repo: Repo, commits: list[str]) -> list[CommitFacts]:
    found = (repo.object_store[ObjectID(oid.encode())] for oid in commits)
    return [facts_of(commit) for commit in found if isinstance(commit, Commit)]
