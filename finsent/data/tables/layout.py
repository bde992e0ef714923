"""How a text table is written: encoding, delimiter, whether quotes mean anything, whether there is a header.

Each is guessed from the first part of the file, and said with its reason.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from charset_normalizer import from_bytes

from finsent.data.sources.delimited import QUOTING
from finsent.data.tables.columns import LABEL_NAMES, TEXT_NAMES
from finsent.errors import DataError

HEAD = 1 << 20  # bytes that are looked at
DELIMITERS = (",", "\t", ";", "|")
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
LONGEST_NAME = 40  # characters of a column's name
LEAST_LETTERS = 0.01  # share of bytes beyond ASCII from which an encoding can be told by its words
MOST_LINES = 20  # in a cell; more were swallowed by a quote that is never closed


@dataclass(frozen=True)
class Layout:
    """The columns of a file, the keys of a source that say how it is written, and the reason of each."""

    names: list[str]
    keys: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def guess_layout(head: bytes, name: str, usual: str) -> Layout:
    """Return what differs from UTF-8, the `usual` delimiter, doubled quotes and a header.

    DataError: the file that begins with `head` is no text, or has one column.
    """
    encoding, reason = guess_encoding(head, name)
    text = _decode_whole_lines(head, encoding)
    delimiter, quoting = _guess_cells(text, name)
    rows = _cells(text, delimiter, quoting)
    columns = None if _is_header(rows[0], rows[1:]) else [f"column_{n}" for n in range(1, len(rows[0]) + 1)]
    told = {
        "encoding": (encoding, "utf-8", reason),
        "delimiter": (delimiter, usual, f"it splits nearly every row into {len(rows[0])} cells"),
        "quoting": (
            quoting,
            "doubled",
            "with any other quoting, rows would not have the same number of cells",
        ),
        "columns": (columns, None, "the first row looks like the others, so these names were made up"),
    }
    if encoding == "utf-16":  # its mark says so to every reader
        del told["encoding"]
    found = {key: value for key, (value, plain, _) in told.items() if value != plain}
    return Layout(columns or rows[0], found, {key: told[key][2] for key in found})


def guess_encoding(head: bytes, name: str) -> tuple[str, str]:
    """Return Python's name of an encoding and the reason; DataError if the bytes are no text."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding, "a byte-order mark says so"
    try:
        _decode_whole_lines(head, "utf-8")
        return "utf-8", ""
    except UnicodeDecodeError as error:
        bad = head[error.start : error.start + 4]
    best = None if b"\0" in head else from_bytes(head).best()
    if best is None:
        raise DataError(f"{name}: bytes {bad!r} are not text in any known encoding; is this a table?")
    if _is_western(head):
        return (
            "cp1252",
            f"bytes {bad!r} are not UTF-8, and too few to guess more than the usual Windows encoding",
        )
    return best.encoding, f"bytes {bad!r} are not UTF-8; in this encoding the letters form words"


def _is_western(head: bytes) -> bool:
    """Return whether so few bytes are beyond ASCII that guessing an encoding from them is chance."""
    beyond = sum(byte > 127 for byte in head)
    try:
        head.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return beyond < LEAST_LETTERS * len(head)


def _decode_whole_lines(head: bytes, encoding: str) -> str:
    """Decode without a last line that may be cut off."""
    if len(head) >= HEAD:
        head = head[: head.rfind(b"\n") + 1]
        head += b"\0" * (len(head) % 2) if encoding == "utf-16" else b""
    return head.decode("utf-8-sig" if encoding == "utf-8" else encoding)


def _guess_cells(text: str, name: str) -> tuple[str, str]:
    """Return the delimiter and the quoting by which most lines are in rows of the same number of cells."""
    even = {
        (delimiter, quoting): _even_lines(_cells(text, delimiter, quoting))
        for quoting in QUOTING
        for delimiter in DELIMITERS
    }
    best = max(even, key=lambda way: even[way])  # the first of equal ones
    if not even[best]:
        told = "comma, tab, semicolon or bar"
        raise DataError(f"{name}: has one column ({told} never split it); a text and a label are needed")
    return best


def _cells(text: str, delimiter: str, quoting: str) -> list[list[str]]:
    """Return the rows up to the first that cannot be read."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, **QUOTING[quoting])
    with suppress(csv.Error):
        rows.extend(row for row in reader if row)
    return rows


def _even_lines(rows: list[list[str]]) -> int:
    """Return how many lines are in rows of the most frequent number of cells; 0 where that is one cell."""
    width, _ = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
    lines = [sum(cell.count("\n") for cell in row) + 1 for row in rows if len(row) == width > 1]
    return sum(count for count in lines if count <= MOST_LINES)


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    names = [cell.strip() for cell in first]
    unnamed = "" in names[1:]  # the first column of a table that pandas wrote has no name
    if len(set(names)) < len(names) or unnamed or max(map(len, names)) > LONGEST_NAME:
        return False
    if {name.lower() for name in names} & {*TEXT_NAMES, *LABEL_NAMES}:
        return True
    columns = [[row[index] for row in rest if len(row) > index] for index in range(len(names))]
    if any(name in values for name, values in zip(names, columns, strict=True)):
        return False
    lengths = [
        (len(name), median(map(len, values))) for name, values in zip(names, columns, strict=True) if values
    ]
    return any(short * 2 < typical for short, typical in lengths) or not rest
