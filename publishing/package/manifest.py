"""What a push may send: an allow-list of names, each file with the two hashes by which a Hub knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from finsent import release
from finsent.onnx_files import FOLDER
from publishing.errors import LintError

RepoType = Literal["model", "dataset", "space"]
PIECE = 1 << 20
LARGEST_IN_GIT = 10 << 20  # bytes; what is larger the Hub wants in LFS
# Nothing else is ever sent, so neither .git nor .env nor a checkpoint can be. Names are those of the release.
ALLOWED: dict[RepoType, tuple[str, ...]] = {
    "model": (*release.ALWAYS, *release.ENDPOINT_FILES, f"{FOLDER}/*.onnx", "figures/*.png", "LICENSE"),
    "dataset": (release.CARD, "LICENSE", "*.csv", "*.jsonl", "*.parquet"),
    "space": (
        *(release.CARD, "requirements.txt", "packages.txt", "LICENSE"),
        *(
            "*.py",
            "*.html",
            "*.js",
            "*.mjs",
            "*.css",
            "*.svg",
            "*.png",
            "*.ico",
            "*.json",
            "static/*.css",
            "static/*.json",
        ),
        "inference/*.py",
    ),
}


@dataclass(frozen=True)
class OutgoingFile:
    """A file as it will be on the Hub; `source` is where its bytes are, or the bytes themselves."""

    path: str
    source: Path | bytes
    size: int
    sha256: str
    blob: str | None
    """The sha1 as a git blob, made in the same reading; None over LARGEST_IN_GIT."""

    @property
    def git_sha1(self) -> str:
        """Return the sha1 as a git blob; for a large file by reading it again, since the Hub seldom asks."""
        return self.blob or _blob_of(self.content())

    def content(self) -> bytes:
        """Return the bytes."""
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source


@dataclass(frozen=True)
class Manifest:
    """All that belongs in a repository, by path. `left_out` is what lies in the folder but may not go."""

    repo_type: RepoType
    files: dict[str, OutgoingFile]
    left_out: tuple[str, ...] = ()

    def content(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return self.files[path].content()

    def replace(self, path: str, content: bytes) -> Manifest:
        """Return the manifest with other bytes under a path."""
        return Manifest(self.repo_type, {**self.files, path: from_bytes(path, content)}, self.left_out)

    def without(self, path: str) -> Manifest:
        """Return the manifest without a path, which then stays on the Hub as it is."""
        return Manifest(self.repo_type, {p: f for p, f in self.files.items() if p != path}, self.left_out)


def is_allowed(repo_type: RepoType, path: str) -> bool:
    """Tell whether a path is one that a push of this kind sends, and so one that it may also delete."""
    if any(part.startswith((".", "__")) and part != "__init__.py" for part in path.split("/")):
        return False
    depth = path.count("/")
    return any(fnmatchcase(path, name) and name.count("/") == depth for name in ALLOWED[repo_type])


def read_folder(folder: Path, repo_type: RepoType, progress: Callable[[int], None] | None = None) -> Manifest:
    """Hash what may be sent of a folder; `progress` hears of bytes read. LintError if there is nothing."""
    if not folder.is_dir():
        raise LintError(f"{folder}: is not a folder; build a release with train.py first")
    refuse_links(folder, repo_type)
    names = sorted(path.relative_to(folder).as_posix() for path in _walk(folder))
    allowed = [name for name in names if is_allowed(repo_type, name)]
    if not allowed:
        raise LintError(f"{folder}: has no file that belongs in a {repo_type} repository")
    files = {name: hash_file(folder / name, name, progress) for name in allowed}
    return Manifest(repo_type, files, tuple(name for name in names if name not in files))


def refuse_links(folder: Path, repo_type: RepoType) -> None:
    """Raise LintError for a link in the place of a file that would be sent, or of a folder of such files."""
    folders = {name.partition("/")[0] for name in ALLOWED[repo_type] if "/" in name}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() and (name in folders or is_allowed(repo_type, name)):
            raise LintError(f"{path}: is a link, which could point anywhere; put the file itself there")


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name in (".git", "__pycache__", ".cache", "node_modules"):
                continue
            yield from _walk(path)
        elif path.is_file():
            yield path


def hash_file(path: Path, name: str, progress: Callable[[int], None] | None = None) -> OutgoingFile:
    """Return a file with its sha256 (of LFS) and, if git may hold it, its sha1, both in one reading."""
    size = path.stat().st_size
    large, small = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    in_git = size <= LARGEST_IN_GIT
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            large.update(piece)
            if in_git:
                small.update(piece)
            if progress is not None:
                progress(len(piece))
    return OutgoingFile(name, path, size, large.hexdigest(), small.hexdigest() if in_git else None)


def digest(content: bytes) -> str:
    """Return a sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def from_bytes(path: str, content: bytes) -> OutgoingFile:
    """Return a file that lies nowhere but in memory."""
    return OutgoingFile(path, content, len(content), digest(content), _blob_of(content))


def _blob_of(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
