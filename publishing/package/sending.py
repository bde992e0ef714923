"""The bytes of a commit, taken when it is sent: copied to where nobody else writes, and hashed on the way."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import CommitOperationAdd

from publishing.errors import LintError
from publishing.package.manifest import PIECE, OutgoingFile

_NEXT = "no file was sent; make sure that nothing writes to the release, and run again"


@contextmanager
def taken(files: Iterable[OutgoingFile]) -> Iterator[list[CommitOperationAdd]]:
    """Yield operations on copies of the very bytes that were checked; LintError if they changed since.

    What happens to the release from here on, by train.py or anybody, reaches neither upload nor commit.
    """
    with tempfile.TemporaryDirectory(prefix="finsent-sending-") as folder:
        yield [
            CommitOperationAdd(file.path, _take(file, Path(folder) / str(number)))
            for number, file in enumerate(files)
        ]


def _take(file: OutgoingFile, target: Path) -> Path | bytes:
    """Copy a file; bytes in memory are safe where they are."""
    if isinstance(file.source, bytes):
        return file.source
    digest = hashlib.sha256()
    try:
        descriptor = os.open(file.source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise LintError(f"{file.path}: changed since it was checked ({error.strerror}); {_NEXT}") from None
    with os.fdopen(descriptor, "rb") as source, target.open("xb") as copy:
        while piece := source.read(PIECE):
            digest.update(piece)
            copy.write(piece)
    if digest.hexdigest() != file.sha256:
        raise LintError(f"{file.path}: changed since it was checked; {_NEXT}")
    return target
