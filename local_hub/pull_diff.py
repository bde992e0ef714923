"""What lies between two commits as text, within bounds: comparing lines can take cubic time."""

from __future__ import annotations

import io
from functools import lru_cache

from dulwich.objects import ObjectID
from dulwich.patch import write_object_diff
from dulwich.repo import Repo

_MAX_BYTES = 2_000_000
_MAX_FILE_BYTES = 256_000
# One line beside one other, of all files together: a second or two. difflib leaves common lines aside from
# 200 lines on; for fewer it may take 25 times as long.
_MAX_COMPARISONS, _SHORT, _SHORT_FACTOR = 40_000_000, 200, 25

_Side = tuple[bytes | None, int | None, ObjectID | None]


def text_diff(repo: Repo, before: str, after: str) -> str:
    """The changes from one tree to the other, cut at 2 MB; large files show as their pointers."""
    output, left = io.BytesIO(), _MAX_COMPARISONS
    lines_of = lru_cache(maxsize=None)(lambda blob: _count_lines(repo, blob))  # one may stand at many paths
    for paths, modes, blobs in repo.object_store.tree_changes(_id(before), _id(after)):
        cost = _cost([lines_of(blob) for blob in blobs if blob])
        if cost is None or cost > left:
            output.write(b"diff --git a/%s b/%s (too large to show)\n" % tuple(path or b"" for path in paths))
        else:
            left -= cost
            old, new = zip(paths, modes, blobs, strict=True)
            write_object_diff(output, repo.object_store, old, new)
        if output.tell() > _MAX_BYTES:
            break
    return output.getvalue()[:_MAX_BYTES].decode("utf-8", "replace")


def _id(oid: str) -> ObjectID:
    return ObjectID(oid.encode())


def _count_lines(repo: Repo, blob: ObjectID) -> tuple[int, int]:
    """Bytes and lines of a blob; the lines of what is too large to show are not counted."""
    found = repo.object_store[blob]
    size = found.raw_length()
    return size, found.as_raw_string().count(b"\n") + 1 if size <= _MAX_FILE_BYTES else 0


def _cost(sides: list[tuple[int, int]]) -> int | None:
    """How many lines are compared at most, None for files that are too large."""
    if sum(size for size, _ in sides) > _MAX_FILE_BYTES:
        return None
    if len(sides) < 2:
        return 0
    old, new = (lines for _, lines in sides)
    return old * new * (_SHORT_FACTOR if new <= _SHORT else 1)
