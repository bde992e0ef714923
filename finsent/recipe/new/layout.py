"""How a text table is written: its encoding, its delimiter, whether quotes mean anything, whether it has a header.

Each is guessed from the first part of the file, and said with its reason.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from charset_normalizer import from_bytes

from finsent.errors import DataError
from finsent.recipe.new.columns import LABEL_NAMES, TEXT_NAMES

HEAD = 1 << 20  # bytes that are looked at
DELIMITERS = (",", "\t", ";", "|")
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
LONGEST_NAME = 40  # characters of a column's name


@dataclass(frozen=True)
class Layout:
    """What differs from UTF-8, a comma, quotes and a header; None where it does not. `reasons` by key."""

    encoding: str | None = None
    delimiter: str | None = None
    quoting: str | None = None
    columns: list[str] | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def guess_layout(head: bytes, name: str) -> Layout:
    """Return the layout of a file that begins with `head`; DataError when it is one column or no table."""
    encoding, reason = guess_encoding(head, name)
    text = _decode_whole_lines(head, encoding)
    delimiter, quoting = _guess_cells(text, name)
    rows = _cells(text, delimiter, quoting)
    reasons = {"encoding": reason, "delimiter": f"all of the first {len(rows):,} rows have {len(rows[0])} cells"}
    reasons["quoting"] = "quotes are letters like others here: with a meaning, rows would not have equal cells"
    columns, reasons["columns"] = _guess_header(rows)
    return Layout(
        encoding=None if encoding == "utf-8" else encoding,
        delimiter=None if delimiter == "," else delimiter,
        quoting=None if quoting == csv.QUOTE_MINIMAL else "none",
        columns=columns,
        reasons=reasons,
    )


def guess_encoding(head: bytes, name: str) -> tuple[str, str]:
    """Return Python's name of an encoding and the reason; DataError when the bytes are no text."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding, "a byte-order mark says so"
    try:
        _decode_whole_lines(head, "utf-8")
        return "utf-8", ""
    except UnicodeDecodeError as error:
        bad = head[error.start : error.start + 4]
    best = from_bytes(head).best()
    if best is None or b"\0" in head:
        raise DataError(f"{name}: bytes {bad!r} are no text in any known encoding; is this a table?")
    return best.encoding, f"bytes {bad!r} are not UTF-8; these letters give words in it"


def _decode_whole_lines(head: bytes, encoding: str) -> str:
    """Decode without a last line that may be cut off."""
    if len(head) >= HEAD:
        head = head[: head.rfind(b"\n") + 1]
        if encoding == "utf-16":
            head += b"\0" * (len(head) % 2)
    return head.decode("utf-8-sig" if encoding == "utf-8" else encoding)


def _guess_cells(text: str, name: str) -> tuple[str, int]:
    """Return the delimiter and the csv module's quoting by which most rows have the same number of cells."""
    best: tuple[float, int, str, int] | None = None
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        for delimiter in DELIMITERS:
            share, width = _evenness(_cells(text, delimiter, quoting))
            if width > 1 and (best is None or share > best[0] + 0.001):
                best = (share, width, delimiter, quoting)
    if best is None:
        told = "comma, tab, semicolon or bar"
        raise DataError(f"{name}: has one column ({told} never divide it); a text and a label are needed")
    return best[2], best[3]


def _cells(text: str, delimiter: str, quoting: int) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    try:
        return [row for row in reader if row]
    except csv.Error:  # a cell beyond the csv module's bound: an open quote
        return []


def _evenness(rows: list[list[str]]) -> tuple[float, int]:
    """Return the share of rows with the most frequent number of cells, weighed by lines, and that number."""
    if not rows:
        return 0.0, 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    swallowed = sum(cell.count("\n") > 20 for row in rows for cell in row)  # by a quote that is never closed
    return max(0.0, (count - swallowed * len(rows) / 10) / len(rows)), width


def _guess_header(rows: list[list[str]]) -> tuple[list[str] | None, str]:
    """Return names for the columns where the first row is no header, else None; and the reason."""
    first, rest = rows[0], rows[1:]
    if _is_header(first, rest):
        return None, ""
    names = [f"column_{number}" for number in range(1, len(first) + 1)]
    return names, "the first row looks like all others, so it is no header"


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    names = [cell.strip() for cell in first]
    if len(set(names)) < len(names) or any(not name or len(name) > LONGEST_NAME for name in names):
        return False
    if {name.lower() for name in names} & {*TEXT_NAMES, *LABEL_NAMES}:
        return True
    columns = [[row[index] for row in rest if len(row) > index] for index in range(len(names))]
    if any(name in values for name, values in zip(names, columns, strict=True)):
        return False
    lengths = [(len(name), median(map(len, values))) for name, values in zip(names, columns, strict=True) if values]
    return any(short * 2 < typical for short, typical in lengths) or not rest
