"""The commits of one repository as a graph: which can be reached, in which order, and where two lines part.

Walked by parents alone. Dates only break ties: a pushed commit may claim any, so nothing may depend on them.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID

_KEPT_ORDERS = 4


@dataclass(frozen=True)
class Node:
    """What the graph knows of a commit."""

    parents: tuple[str, ...]
    time: int


class Ancestry:
    """Remembers every commit that it has read, for a commit never changes; safe to use from many threads."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._orders: OrderedDict[str, list[str]] = OrderedDict()
        self._lock = threading.Lock()

    def node(self, store: BaseObjectStore, oid: str) -> Node:
        """The commit's parents and time; KeyError if the store has no such commit."""
        known = self._nodes.get(oid)
        if known is None:
            commit = store[ObjectID(oid.encode())]
            if not isinstance(commit, Commit):
                raise KeyError(oid)
            known = Node(tuple(parent.decode() for parent in commit.parents), commit.commit_time)
            self._nodes[oid] = known
        return known

    def ancestors(
        self, store: BaseObjectStore, tips: Iterable[str], known: Set[str] = frozenset()
    ) -> set[str]:
        """The tips and all that they lead to, without the commits in `known` and what is behind them.

        KeyError if one of them is missing from the store.
        """
        found, waiting = set[str](), [tip for tip in tips if tip not in known]
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += [parent for parent in self.node(store, oid).parents if parent not in known]
        return found

    def ordered(self, store: BaseObjectStore, tip: str) -> list[str]:
        """The tip and all its ancestors, no commit before its children, else the newer ones first."""
        with self._lock:
            if tip in self._orders:
                self._orders.move_to_end(tip)
                return self._orders[tip]
        order = self._sorted(store, tip)
        with self._lock:
            self._orders[tip] = order
            while len(self._orders) > _KEPT_ORDERS:
                self._orders.popitem(last=False)
        return order

    def _sorted(self, store: BaseObjectStore, tip: str) -> list[str]:
        """Kahn's algorithm: a commit is ready once all of its children have been taken."""
        everything = self.ancestors(store, [tip])
        children = Counter(parent for oid in everything for parent in set(self.node(store, oid).parents))
        ready, order = [(0, tip)], list[str]()
        while ready:
            _, oid = heapq.heappop(ready)
            order.append(oid)
            for parent in set(self.node(store, oid).parents):
                children[parent] -= 1
                if children[parent] == 0:
                    heapq.heappush(ready, (-self.node(store, parent).time, parent))
        return order

    def fork_point(self, store: BaseObjectStore, base: str, head: str) -> str | None:
        """A common ancestor that no other common ancestor descends from; None if the two share nothing."""
        behind_base = self.ancestors(store, [base])
        return next((oid for oid in self.ordered(store, head) if oid in behind_base), None)
