"""Bytes of a file as they were before they were packed: .gz, .zst, or a member of a .zip."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import pyarrow

from finsent.errors import DataError

COMPRESSED = (".gz", ".zst")
PACKED = (*COMPRESSED, ".zip")
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, pyarrow.ArrowException)


@dataclass(frozen=True)
class PackedFile:
    """A file on this machine; `member` is what is read of a zip, None for any other file."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name if self.member is None else f"{self.path.name}/{self.member}"

    @property
    def format(self) -> str:
        """The ending in lower case, without that of a compression: .csv for ROWS.CSV.gz."""
        if self.member is not None:
            return PurePosixPath(self.member.lower()).suffix
        inner = PurePosixPath(self.path.name.lower())
        return PurePosixPath(inner.stem).suffix if inner.suffix in COMPRESSED else inner.suffix

    def open(self) -> IO[bytes]:
        """Open it for reading from its beginning to its end."""
        if self.member is not None:
            with zipfile.ZipFile(self.path) as archive:  # a member that is open outlives its archive
                return archive.open(self.member)
        if self.path.suffix.lower() == ".gz":
            return cast("IO[bytes]", gzip.open(self.path))
        if self.path.suffix.lower() == ".zst":
            return cast("IO[bytes]", pyarrow.input_stream(str(self.path), compression="zstd"))
        return self.path.open("rb")

    def whole(self) -> IO[bytes]:
        """Open it for reading in any order; unpacked into memory where it is packed."""
        if self.member is None and self.path.suffix.lower() not in COMPRESSED:
            return self.path.open("rb")
        with self.open() as file:
            return io.BytesIO(file.read())


def find_packed(path: Path, member: str | None) -> PackedFile:
    """Return what is to be read of a file; DataError if a zip has not exactly that one."""
    if path.suffix.lower() != ".zip":
        if member is not None:
            raise DataError(f"{path.name}: is not a .zip; leave `member: {member}` out of the source")
        return PackedFile(path)
    with reading(path.name), zipfile.ZipFile(path) as archive:
        found = [one.filename for one in archive.infolist() if not _is_beside(one)]
    if member is None and len(found) == 1:
        return PackedFile(path, found[0])
    if member not in found:
        wanted = "several files; choose one" if member is None else f"no file {member!r}; choose another"
        raise DataError(f"{path.name}: has {wanted} by the source's key `member`, of {found[:10]}")
    return PackedFile(path, member)


def _is_beside(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is a folder, or what a Mac puts beside the files."""
    path = PurePosixPath(entry.filename)
    return entry.is_dir() or path.parts[0] == "__MACOSX" or path.name.startswith(".")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what a broken file raises into a DataError that names it."""
    try:
        yield
    except _BROKEN as error:
        raise DataError(f"{name}: cannot be read: {_first_line(error)}") from error
    except (RuntimeError, NotImplementedError) as error:  # a zip with a password, or a rare compression
        raise DataError(f"{name}: cannot be unpacked: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
