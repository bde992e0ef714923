"""For each path the commit that it has its present content from, in one walk through the history.

Every path follows the first parent that has the same content, as `git log -1 -- PATH` does, so each is at one
commit at a time. A folder whose tree is the same on both sides is not looked into, and what a walk has found
is kept: the next one ends where it meets a commit that was asked about before.
"""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from stat import S_ISDIR

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID, parse_tree

from local_hub.trees import CommitFacts, facts_of

_KEPT_COMMITS, _KEPT_TREES = 32, 256
_SHA_BYTES = 20
# Some ten seconds, or 20,000 commits: one costs as much to read as 250 names to compare. Beyond it the rest
# is answered without its commit, which clients take for unknown.
MAX_STEPS, _READING = 5_000_000, 250

_Names = dict[bytes, set[bytes]]  # by folder; the root is the empty one


class LastCommits:
    """The walks of one repository; safe to use from many threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, CommitFacts]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, store: BaseObjectStore, oid: str, paths: set[str]) -> dict[str, CommitFacts]:
        """The newest change of each path that exists at the commit."""
        with self._lock:
            known = dict(self._known)
        found = dict(known.get(oid, {}))
        missing = paths - found.keys()
        if missing:
            found |= _Walk(store, known).run(oid, missing)
            with self._lock:
                self._known[oid] = found
                self._known.move_to_end(oid)
                while len(self._known) > _KEPT_COMMITS:
                    self._known.popitem(last=False)
        return {path: found[path] for path in paths & found.keys()}


@dataclass
class _Walk:
    store: BaseObjectStore
    known: dict[str, dict[str, CommitFacts]]
    found: dict[str, CommitFacts] = field(default_factory=dict)
    trees: OrderedDict[bytes, dict[bytes, tuple[int, bytes]]] = field(default_factory=OrderedDict)
    commits: OrderedDict[str, Commit] = field(default_factory=OrderedDict)
    steps: int = 0

    def run(self, oid: str, paths: set[str]) -> dict[str, CommitFacts]:
        """Walk from the commit, the newest first, until every path has found its own or it takes too long."""
        waiting = {oid: _by_folder(paths)}
        queue = [(0, oid)]
        while queue and self.steps < MAX_STEPS:
            _, oid = heapq.heappop(queue)
            for parent, names in self._leave(oid, waiting.pop(oid)):
                if parent not in waiting:
                    heapq.heappush(queue, (-self._commit(parent).commit_time, parent))
                    waiting[parent] = {}
                for folder, some in names.items():
                    waiting[parent][folder] = waiting[parent].get(folder, set()) | some
        return self.found

    def _leave(self, oid: str, names: _Names) -> list[tuple[str, _Names]]:
        """Which names go on to which parent; the others have found their commit."""
        commit, passed = self._commit(oid), []
        self.steps += _READING
        names = self._without_known(oid, names)
        for parent in commit.parents:
            other = self._commit(parent.decode())
            same = {folder: self._same(folder, some, commit, other) for folder, some in names.items()}
            names = {folder: some - same[folder] for folder, some in names.items() if some != same[folder]}
            passed.append((parent.decode(), {folder: some for folder, some in same.items() if some}))
        for path in _paths(names):
            self.found[path] = facts_of(commit)
        return [(parent, some) for parent, some in passed if some]

    def _without_known(self, oid: str, names: _Names) -> _Names:
        known = self.known.get(oid, {})
        hits = [path for path in _paths(names) if path in known] if known else []
        self.found |= {path: known[path] for path in hits}
        return _by_folder(set(_paths(names)).difference(hits)) if hits else names

    def _same(self, folder: bytes, names: set[bytes], commit: Commit, other: Commit) -> set[bytes]:
        """The names that are the same in both commits."""
        mine, theirs = self._folder(commit.tree, folder), self._folder(other.tree, folder)
        self.steps += 1
        if mine == theirs:
            return names
        self.steps += len(names)
        here, there = self._entries(mine), self._entries(theirs)
        return {name for name in names if here.get(name) == there.get(name)}

    def _folder(self, tree: bytes, folder: bytes) -> bytes | None:
        found: bytes | None = tree
        for part in folder.split(b"/") if folder else ():
            mode, found = self._entries(found).get(part, (0, None))
            found = found if S_ISDIR(mode) else None
        return found

    def _entries(self, tree: bytes | None) -> dict[bytes, tuple[int, bytes]]:
        if tree is None:
            return {}
        if tree not in self.trees:
            raw = self.store.get_raw(ObjectID(tree))[1]
            self.trees[tree] = {name: (mode, sha) for name, mode, sha in parse_tree(raw, _SHA_BYTES)}
            while len(self.trees) > _KEPT_TREES:
                self.trees.popitem(last=False)
        return self.trees[tree]

    def _commit(self, oid: str) -> Commit:
        if oid not in self.commits:
            commit = self.store[ObjectID(oid.encode())]
            assert isinstance(commit, Commit)
            self.commits[oid] = commit
            while len(self.commits) > _KEPT_TREES:
                self.commits.popitem(last=False)
        return self.commits[oid]


def _by_folder(paths: set[str]) -> _Names:
    names: _Names = {}
    for path in paths:
        folder, _, name = path.encode("utf-8", "replace").rpartition(b"/")
        names.setdefault(folder, set()).add(name)
    return names


def _paths(names: _Names) -> list[str]:
    return [
        (folder + b"/" + name if folder else name).decode("utf-8", "replace")
        for folder, some in names.items()
        for name in some
    ]
