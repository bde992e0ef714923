"""The encoding of an uploaded text file, found from its first bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from table import Table, UnreadableFile

SAMPLE = 100_000  # bytes
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NOT_UTF8 = "The file is not UTF-8; it was read as Windows-1252. Look at the accents below."


def read_text(path: Path, read: Callable[[TextIO, list[str]], Table]) -> Table:
    """Return what `read` makes of the open file and of the notes on its encoding.

    Where the encoding turns out to be another than the first bytes told, it is read again. UnreadableFile
    if it is not text.
    """
    encoding = _guess_encoding(path)
    try:
        return _read(path, encoding, "strict", [], read)
    except UnicodeDecodeError:
        return _read(path, "cp1252", "replace", [_NOT_UTF8], read)


def _read(
    path: Path, encoding: str, errors: str, notes: list[str], read: Callable[[TextIO, list[str]], Table]
) -> Table:
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        head = file.read(SAMPLE)
        if len(_CONTROL.findall(head)) > len(head) * 0.01:
            raise UnreadableFile("The file contains binary data instead of text: save it as CSV in UTF-8.")
        file.seek(0)
        return read(file, notes)


def _guess_encoding(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(2000)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if raw[1::2].count(0) > len(raw[1::2]) * 0.6:
        return "utf-16-le"  # without a mark, but every other byte of Latin text is zero
    return "utf-8-sig"
