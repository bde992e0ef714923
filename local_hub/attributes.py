"""Which files go to large storage and which are ignored: by git's rule files and a look at the bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable

from dulwich.attrs import GitAttributes, Pattern, parse_git_attributes
from dulwich.ignore import IgnoreFilter, read_ignore_patterns

# Formats that are large or binary by nature; the default .gitattributes of a new repository names them.
_LARGE_SUFFIXES = [
    "7z",
    "arrow",
    "bin",
    "bz2",
    "ckpt",
    "ftz",
    "gz",
    "h5",
    "joblib",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "onnx_data",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tar",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
]
_LARGE_PATTERNS = ("saved_model/**/*", "*tfevents*", "*.tar.*")
_DATASET_SUFFIXES = [
    "aac",
    "avro",
    "bmp",
    "flac",
    "gif",
    "jpeg",
    "jpg",
    "lz4",
    "mp3",
    "mp4",
    "ogg",
    "png",
    "tiff",
    "wav",
    "webm",
    "webp",
]
_ATTRIBUTES = "filter=lfs diff=lfs merge=lfs -text"

# Patterns become regular expressions; these bounds keep a hostile file from making one that never ends.
_MAX_LINE, _MAX_STARS, _MAX_LINES = 256, 6, 2000


def default_attributes(kind: str) -> str:
    """The .gitattributes that a new repository starts with."""
    suffixes = [*_LARGE_SUFFIXES, *(_DATASET_SUFFIXES if kind == "datasets" else ())]
    patterns = sorted([*(f"*.{suffix}" for suffix in suffixes), *_LARGE_PATTERNS])
    return "".join(f"{pattern} {_ATTRIBUTES}\n" for pattern in patterns)


def _bounded_lines(text: bytes) -> bytes:
    lines = text.splitlines()[:_MAX_LINES]
    return b"\n".join(line for line in lines if len(line) <= _MAX_LINE and line.count(b"*") <= _MAX_STARS)


class LargeFileRule:
    """Decides by a .gitattributes file whether a path belongs into large storage."""

    def __init__(self, text: bytes) -> None:
        rules = parse_git_attributes(io.BytesIO(_bounded_lines(text)))
        self._attributes = GitAttributes([(Pattern(pattern), values) for pattern, values in rules])

    def matches(self, path: str) -> bool:
        """Whether git would run the lfs filter on the path."""
        return self._attributes.match_path(path.encode()).get(b"filter") == b"lfs"


class IgnoreRule:
    """Decides by a .gitignore file whether a path is left out of a commit."""

    def __init__(self, text: bytes) -> None:
        self._filter = IgnoreFilter(read_ignore_patterns(io.BytesIO(_bounded_lines(text))))

    def matches(self, path: str) -> bool:
        """Whether git would leave the path out."""
        parents = path.split("/")[:-1]
        folders: Iterable[str] = ("/".join(parents[: n + 1]) + "/" for n in range(len(parents)))
        return bool(self._filter.is_ignored(path)) or any(
            self._filter.is_ignored(folder) for folder in folders
        )


def looks_binary(sample: bytes) -> bool:
    """Whether the bytes are not text in UTF-8; a character cut off at the end of a sample does not count."""
    if b"\0" in sample:
        return True
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return False
