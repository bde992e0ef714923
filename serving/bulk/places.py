"""Local paths and s3://, gs://, hf:// addresses alike, through pyarrow's file systems."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from pyarrow import fs

from serving.bulk.errors import BulkError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
KINDS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".txt")
GLOB = "*?["
HUB = "hf://"


@dataclass(frozen=True)
class Place:
    """A file or folder of a file system. `size` is in bytes, `changed` in nanoseconds; None for a folder."""

    system: fs.FileSystem
    path: str
    size: int | None = None
    changed: int | None = None
    name: str = ""
    """What ids of its rows begin with: its path below the folder that all inputs share."""

    @property
    def compression(self) -> str | None:
        """How the file is compressed, by its name."""
        return COMPRESSIONS.get(Path(self.path).suffix.lower())

    @property
    def kind(self) -> str:
        """What the file holds, by its name without the compression, such as `.csv`."""
        name = Path(self.path)
        return (name.with_suffix("") if self.compression else name).suffix.lower()

    def child(self, name: str) -> Place:
        """Return a file of this folder."""
        return Place(self.system, f"{self.path.rstrip('/')}/{name}")


def locate(address: str) -> Place:
    """Return where an address points. BulkError for an unknown scheme or a missing client."""
    try:
        if address.startswith(HUB):
            return _on_the_hub(address.removeprefix(HUB))
        if "://" not in address:
            return Place(fs.LocalFileSystem(), str(Path(address).absolute()))
        system, path = fs.FileSystem.from_uri(address)
    except (ValueError, OSError, ImportError, NotImplementedError) as error:
        raise BulkError(f"{address}: {error}; allowed are paths, s3://, gs:// and hf://") from None
    return Place(system, path)


def locate_output(address: str) -> Place:
    """Return the folder that an address names. BulkError where it cannot be written part by part."""
    if address.startswith(HUB):
        raise BulkError(f"{address}: every part would be a commit; write to a folder, and upload that")
    return locate(address)


def _on_the_hub(path: str) -> Place:
    """Return the place at the commit that its branch has now: all of a run, also a resumed one, is of it."""
    from huggingface_hub import HfApi, HfFileSystem  # only for such an address

    system = HfFileSystem()
    found = system.resolve_path(path)
    info = HfApi().repo_info(found.repo_id, repo_type=found.repo_type, revision=found.revision)
    pinned = replace(found, revision=str(info.sha), _raw_revision=None)
    return Place(fs.PyFileSystem(fs.FSSpecHandler(system)), pinned.unresolve())


def find_inputs(addresses: list[str]) -> list[Place]:
    """Return the files that addresses name, in order: each a file, a folder or a pattern with `*`.

    BulkError: nothing is there, or a file is of a kind that is not read.
    """
    found = [place for address in addresses for place in _find(address)]
    for place in found:
        if place.kind not in KINDS:
            kinds = ", ".join(KINDS)
            got = place.kind or "no ending"
            raise BulkError(f"{place.path}: got {got!r}; allowed are {kinds}, also .gz and .zst")
    found = list({place.path: place for place in found}.values())  # patterns may overlap
    folder = posixpath.commonpath([posixpath.dirname(place.path) for place in found])
    return [replace(place, name=posixpath.relpath(place.path, folder or ".")) for place in found]


def _find(address: str) -> list[Place]:
    place = locate(address)
    system = place.system
    info = system.get_file_info(place.path)  # first: a name may hold a bracket and be no pattern
    if info.type == fs.FileType.NotFound and any(letter in place.path for letter in GLOB):
        base = place.path[: min(place.path.find(one) for one in GLOB if one in place.path)].rpartition("/")[0]
        found = [one for one in _files_below(system, base) if fnmatchcase(one.path, place.path)]
    else:
        if info.type == fs.FileType.Directory:
            found = [one for one in _files_below(system, place.path) if one.kind in KINDS]
        else:
            found = [_place(system, info)] if info.type == fs.FileType.File else []
    if not found:
        raise BulkError(f"{address}: there is no such file; name a file, a folder or a pattern")
    return found


def _files_below(system: fs.FileSystem, folder: str) -> list[Place]:
    selector = fs.FileSelector(folder, recursive=True, allow_not_found=True)
    files = [info for info in system.get_file_info(selector) if info.type == fs.FileType.File]
    return [_place(system, info) for info in sorted(files, key=lambda info: info.path)]


def _place(system: fs.FileSystem, info: fs.FileInfo) -> Place:
    return Place(system, info.path, info.size, info.mtime_ns)
