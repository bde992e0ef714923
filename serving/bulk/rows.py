"""Reading rows as a stream: every row of an input comes once, also one that cannot be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
from pyarrow import ArrowException

from serving.bulk.errors import BulkError
from serving.bulk.places import Place

LONGEST = 10_000_000  # characters of a line or cell; an open quote would otherwise swallow the rest of a file
PARQUET_ROWS = 4096  # read at a time


@dataclass(frozen=True)
class TextRow:
    """One row. Either `text` or `problem` is None; the problem says why there is no text."""

    id: str
    text: str | None
    problem: str | None = None


class ReadPosition:
    """How many bytes of the inputs are read, compressed as they are."""

    def __init__(self) -> None:
        self.source: pyarrow.NativeFile | None = None
        self.share = 0.0
        self._before = self._size = 0

    def begin(self, place: Place) -> None:
        """Count the file before as read, and go on with this one."""
        self.source, self.share = None, 0.0
        self._before, self._size = self._before + self._size, place.size or 0

    @property
    def bytes(self) -> int:
        """The number; of Parquet it is estimated from the rows."""
        if self.source is None:
            return self._before + int(self.share * self._size)
        return self._before + (self._size if self.source.closed else self.source.tell())


def read_rows(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Iterator[TextRow]:
    """Yield the rows of a file; `position` is kept up to date.

    Without `id_column` an id is `NAME:ROW`, rows counted from 1. `text` is not used for plain lines.
    BulkError: the file cannot be opened, or lacks a column.
    """
    try:
        for number, (found, value) in enumerate(_values(place, text, id_column, position), 1):
            identity = f"{place.name}:{number}" if id_column is None or found is None else str(found)
            identity = identity.encode("utf-8", "replace").decode("utf-8")  # a column of a row may be broken
            yield _row(identity, value)
    except (OSError, ArrowException, EOFError) as error:
        raise BulkError(f"{place.path}: cannot be read ({error})") from error


def _row(identity: str, value: Any) -> TextRow:  # noqa: ANN401  (whatever a file holds)
    if isinstance(value, _Broken):
        return TextRow(identity, None, value.problem)
    if not isinstance(value, str):
        return TextRow(identity, None, f"the text is {type(value).__name__}, expected a string")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return TextRow(identity, None, "the text is not UTF-8")
    return TextRow(identity, value)


@dataclass(frozen=True)
class _Broken:
    problem: str


TOO_LONG = _Broken(f"the line has more than {LONGEST:,} characters")

Values = Iterator[tuple[Any, Any]]
"""Pairs of an id or None and what stands where the text should be."""


def _values(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Values:
    readers = {".parquet": _read_parquet, ".csv": _read_csv, ".tsv": _read_csv, ".txt": _read_lines}
    return readers.get(place.kind, _read_jsonl)(place, text, id_column, position)


def _read_parquet(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Values:
    columns = [text, *([id_column] if id_column else [])]
    with place.system.open_input_file(place.path) as source, parquet.ParquetFile(source) as file:
        _check_columns(place, columns, file.schema_arrow.names)
        for batch in file.iter_batches(PARQUET_ROWS, columns=columns):
            texts = batch.column(text).to_pylist()
            ids = batch.column(id_column).to_pylist() if id_column else [None] * len(texts)
            position.share += len(texts) / file.metadata.num_rows
            yield from zip(ids, texts, strict=True)


def _open_text(place: Place, position: ReadPosition) -> io.TextIOWrapper:
    stream = position.source = place.system.open_input_file(place.path)  # one that can say where it is
    if place.compression:
        stream = pyarrow.CompressedInputStream(stream, place.compression)
    # bytes that are no UTF-8 become lone surrogates, so that only their own row is refused
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _bounded(lines: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines; of one that is too long its first LONGEST characters alone, without an end."""
    while line := lines.readline(LONGEST):
        yield line
        while _is_cut(line):
            line = lines.readline(LONGEST)


def _is_cut(line: str) -> bool:
    return len(line) == LONGEST and not line.endswith(("\n", "\r"))


def _read_csv(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Values:
    csv.field_size_limit(LONGEST - 1)  # so that a cell of a line that was cut is refused
    with _open_text(place, position) as lines:
        reader = csv.reader(_bounded(lines), delimiter="\t" if place.kind == ".tsv" else ",", strict=False)
        header = next(reader, [])
        _check_columns(place, [text, *([id_column] if id_column else [])], header)
        at, id_at = header.index(text), header.index(id_column) if id_column else None
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield None, _Broken(f"no CSV: {error}")
                continue
            if not cells:
                continue  # an empty line is no row
            if len(cells) != len(header):
                yield None, _Broken(f"got {len(cells)} cells, the header has {len(header)}")
            else:
                yield cells[id_at] if id_at is not None else None, cells[at]


def _read_jsonl(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Values:
    with _open_text(place, position) as lines:
        for line in _bounded(lines):
            if not line.strip():
                continue
            if _is_cut(line):
                yield None, TOO_LONG
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield None, _Broken(f"no JSON: {error}")
                continue
            if not isinstance(value, dict) or text not in value:
                yield None, _Broken(f"has no key {text!r}")
                continue
            yield value.get(id_column) if id_column else None, value[text]


def _read_lines(place: Place, text: str, id_column: str | None, position: ReadPosition) -> Values:
    with _open_text(place, position) as lines:
        for line in _bounded(lines):
            yield None, TOO_LONG if _is_cut(line) else line.rstrip("\r\n")


def _check_columns(place: Place, wanted: list[str], found: list[str]) -> None:
    for option, name in zip(("--text", "--id"), wanted, strict=False):
        if found.count(name) != 1:
            has = "has several columns" if name in found else "has no column"
            raise BulkError(f"{place.path}: {has} {name!r}; got {', '.join(found[:20])}; use {option} COLUMN")
