"""What the references of one repository lead to: the commits that may be named, the large files in them."""

from __future__ import annotations

import threading

from dulwich.objects import Commit, ObjectID, ShaFile, Tag
from dulwich.repo import Repo

from local_hub.ancestry import Ancestry
from local_hub.trees import pointers_below


def peel(repo: Repo, sha: ObjectID) -> Commit | None:
    """The commit behind a reference or an annotated tag; None if it leads elsewhere."""
    try:
        found: ShaFile = repo.object_store[sha]
        while isinstance(found, Tag):
            found = repo.object_store[found.object[1]]
    except KeyError:
        return None
    return found if isinstance(found, Commit) else None


class Published:
    """Everything else in the store was refused, replaced or deleted, and is nobody's to read."""

    def __init__(self, ancestry: Ancestry) -> None:
        self._ancestry = ancestry
        self._commits: frozenset[str] | None = None
        self._searched: frozenset[str] = frozenset()
        self._large: set[str] = set()
        self._lock = threading.Lock()

    def forget(self) -> None:
        """A reference is about to move; whoever calls this keeps `find_commits` from running until it has."""
        self._commits = None

    def commits(self) -> frozenset[str] | None:
        """What was found, None if a reference moved since."""
        return self._commits

    def find_commits(self, repo: Repo) -> frozenset[str]:
        """Every commit that a reference leads to; HEAD is left out, for it only names a branch."""
        shas = [sha for name, sha in repo.refs.as_dict().items() if name != b"HEAD"]
        tips = {commit.id.decode() for sha in shas if (commit := peel(repo, ObjectID(sha)))}
        self._commits = frozenset(self._ancestry.ancestors(repo.object_store, tips))
        return self._commits

    def points_to(self, repo: Repo, commits: frozenset[str], oid: str) -> bool:
        """Whether a file of these commits is that large object; only new commits are searched."""
        with self._lock:
            if not self._searched <= commits:
                self._searched, self._large = frozenset(), set()
            seen: set[str] = set()
            for name in commits - self._searched:
                commit = repo.object_store[ObjectID(name.encode())]
                assert isinstance(commit, Commit)
                self._large |= set(pointers_below(repo, commit.tree.decode(), seen))
            self._searched = commits
            return oid in self._large
