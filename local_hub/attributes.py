"""Which files go to large storage and which are ignored: by git's rule files and a look at the bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass

from dulwich.attrs import parse_git_attributes
from dulwich.ignore import read_ignore_patterns

from local_hub.wildmatch import Budget, PathPattern, read_pattern

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

_MAX_LINE, _MAX_LINES = 256, 2000


def default_attributes(kind: str) -> str:
    """The .gitattributes that a new repository starts with."""
    suffixes = [*_LARGE_SUFFIXES, *(_DATASET_SUFFIXES if kind == "datasets" else ())]
    patterns = sorted([*(f"*.{suffix}" for suffix in suffixes), *_LARGE_PATTERNS])
    return "".join(f"{pattern} {_ATTRIBUTES}\n" for pattern in patterns)


def _bounded_lines(text: bytes) -> bytes:
    lines = text[: _MAX_LINE * _MAX_LINES].splitlines()[:_MAX_LINES]
    return b"\n".join(line for line in lines if len(line) <= _MAX_LINE)


class LargeFileRule:
    """Decides by a .gitattributes file whether a path belongs into large storage."""

    def __init__(self, text: bytes) -> None:
        rules = [
            (read_pattern(pattern), values[b"filter"])
            for pattern, values in parse_git_attributes(io.BytesIO(_bounded_lines(text)))
            if b"filter" in values
        ]
        self._rules = [(pattern, value) for pattern, value in reversed(rules) if pattern]
        self._budget = Budget()

    def matches(self, path: str) -> bool:
        """Whether git would run the lfs filter on the path: the last line that fits it decides."""
        name = path.encode()
        values = (value for pattern, value in self._rules if pattern.matches(name, self._budget))
        return next(values, None) == b"lfs"


@dataclass(frozen=True)
class _IgnoreLine:
    pattern: PathPattern
    folders_only: bool
    ignores: bool


class IgnoreRule:
    """Decides by a .gitignore file whether a path is left out of a commit."""

    def __init__(self, text: bytes) -> None:
        lines = map(_ignore_line, read_ignore_patterns(io.BytesIO(_bounded_lines(text))))
        self._lines = [line for line in lines if line][::-1]
        self._budget = Budget()

    def matches(self, path: str) -> bool:
        """Whether git would leave the path, or a folder that it lies in, out."""
        parts = path.encode().split(b"/")
        folders = (b"/".join(parts[:end]) for end in range(1, len(parts)))
        return any(self._ignores(folder, is_folder=True) for folder in folders) or self._ignores(
            path.encode(), is_folder=False
        )

    def _ignores(self, path: bytes, *, is_folder: bool) -> bool:
        """What the last line that fits the path says."""
        for line in self._lines:
            if (is_folder or not line.folders_only) and line.pattern.matches(path, self._budget):
                return line.ignores
        return False


def _ignore_line(line: bytes) -> _IgnoreLine | None:
    text = line.removeprefix(b"!").removeprefix(b"\\" if line.startswith((b"\\!", b"\\#")) else b"")
    pattern = read_pattern(text.removesuffix(b"/"))
    return _IgnoreLine(pattern, text.endswith(b"/"), not line.startswith(b"!")) if pattern else None


def looks_binary(sample: bytes) -> bool:
    """Whether the bytes are not text in UTF-8; a character cut off at the end of a sample does not count."""
    if b"\0" in sample:
        return True
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return False
