"""The last trees that were walked, of all repositories together; what counts is how much they hold."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from local_hub.trees import Entry

_MAX_ENTRIES = 300_000  # 200 to 250 bytes each


class TreeCache:
    """Entries by repository and tree; safe to use from many threads."""

    def __init__(self, most: int = _MAX_ENTRIES) -> None:
        self._most = most
        self._trees: OrderedDict[tuple[Path, str], tuple[Entry, ...]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def get(self, folder: Path, tree: str) -> tuple[Entry, ...] | None:
        """The entries of a tree, None if they are not kept."""
        with self._lock:
            if (folder, tree) in self._trees:
                self._trees.move_to_end((folder, tree))
            return self._trees.get((folder, tree))

    def keep(self, folder: Path, tree: str, entries: tuple[Entry, ...]) -> None:
        """Keep the entries, and let those go that were not asked for the longest."""
        with self._lock:
            self._held -= self._size(self._trees.pop((folder, tree), None))
            self._trees[folder, tree] = entries
            self._held += self._size(entries)
            while self._held > self._most:
                self._held -= self._size(self._trees.popitem(last=False)[1])

    @staticmethod
    def _size(entries: tuple[Entry, ...] | None) -> int:
        return 0 if entries is None else len(entries) + 1
