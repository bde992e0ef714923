"""Lines of a text file, decoded strictly: no letter is guessed, replaced or dropped."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

from finsent.data.sources.packed import PackedFile, reading
from finsent.errors import DataError

MARKS = (  # the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NUL = (
    "has a NUL byte; the file is broken, or it is UTF-16 without a byte-order mark: write "
    "`encoding: utf-16-le` (or -be) into the source"
)
_ESCAPED = re.compile(r"[\udc80-\udcff]+")  # bytes that Python could not decode
_CONTROL = re.compile(r"[\x80-\x9f]")


def read_lines(file: PackedFile, encoding: str, mixed: bool = False) -> Iterator[str]:
    """Yield the lines with their ends, in the encoding that a byte-order mark names, else in `encoding`.

    Marks are dropped at the start of any line: files that were joined have some inside. With `mixed`, a line
    that is UTF-8 is read as that, and any other as `encoding` says.
    Raises DataError: bytes do not decode, a line has a NUL, or the text is plainly in another encoding.
    """
    with reading(file.name):
        actual = _marked_encoding(file) or codecs.lookup(encoding).name
        check = None if actual.startswith("utf") else actual
        try:
            for number, line in enumerate(_decode(file, actual, "strict"), 1):
                if line[0] == "\ufeff":
                    line = line.lstrip("\ufeff")
                if "\0" in line:
                    raise DataError(f"{file.name}, line {number}: {NUL}")
                if check and mixed:
                    line = _read_as_utf8(line, check)
                elif check and not line.isascii():
                    _check_encoding(f"{file.name}, line {number}", line, check)
                yield line
        except UnicodeDecodeError as error:
            raise DataError(_tell_undecodable(file, actual, error)) from None


def _marked_encoding(file: PackedFile) -> str | None:
    with file.open() as raw:
        head = raw.read(4)
    return next((encoding for mark, encoding in MARKS if head.startswith(mark)), None)


def _decode(file: PackedFile, encoding: str, errors: str) -> Iterator[str]:
    with file.open() as raw, io.TextIOWrapper(raw, encoding, errors, newline="") as lines:
        yield from lines


def _check_encoding(where: str, line: str, encoding: str) -> None:
    """Raise DataError for a line that is UTF-8, or has no letters at all, in a file said to be otherwise."""
    if _is_utf8(line.encode(encoding)):
        raise DataError(
            f"{where}: {line.strip()[:40]!r} is UTF-8, read as {encoding}; leave `encoding` out of the "
            "source, or write `mixed_encodings: true` if other lines are not"
        )
    if encoding.startswith("iso8859") and (found := _CONTROL.search(line)):
        raise DataError(
            f"{where}: byte {found[0].encode('latin-1')!r} is not a letter in {encoding}; the file is "
            "probably "
            "in cp1252: write `encoding: cp1252` into the source"
        )


def _read_as_utf8(line: str, encoding: str) -> str:
    """Return a line of a file in another encoding as UTF-8 where its bytes are that."""
    raw = line.encode(encoding)
    return raw.decode("utf-8") if not line.isascii() and _is_utf8(raw) else line


def _is_utf8(raw: bytes) -> bool:
    """Tell whether bytes make sense as UTF-8; one letter beyond Latin-1 may be chance, as in `CAFÉ»`."""
    try:
        found = [letter for letter in raw.decode("utf-8") if letter > "\x7f"]
    except UnicodeDecodeError:
        return False
    return len(found) > 1 or (len(found) == 1 and found[0] <= "\xff")


def _tell_undecodable(file: PackedFile, encoding: str, error: UnicodeDecodeError) -> str:
    todo = "save the file as UTF-8, or write its `encoding` into the source"
    try:
        for number, line in enumerate(_decode(file, encoding, "surrogateescape"), 1):
            if "\0" in line:
                return f"{file.name}, line {number}: {NUL}"
            if found := _ESCAPED.search(line):
                raw = line[found.start() : found.start() + 4].encode(encoding, "surrogateescape")
                return f"{file.name}, line {number}: bytes {raw!r} are not {_title(encoding)}; {todo}"
    except UnicodeError:  # of two bytes a letter, where nothing can be escaped
        pass
    return f"{file.name}: is not {_title(encoding)} ({error.reason}); {todo}"


def _title(encoding: str) -> str:
    return encoding.upper() if encoding.startswith("utf") else encoding
