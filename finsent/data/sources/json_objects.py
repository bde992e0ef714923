"""JSON: an object a line, or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

from finsent.data.sources.checks import Columns, Record
from finsent.data.sources.lines import read_lines
from finsent.data.sources.packed import PackedFile
from finsent.errors import DataError
from finsent.recipe.data import TableFormat


def read_json(file: PackedFile, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the records, by their line or by their place in the array; a blank line is none.

    Raises DataError: a line is no JSON, no object, or lacks a wanted key or has one twice.
    """
    numbered = (
        (number, line)
        for number, line in enumerate(read_lines(file, written.encoding, written.mixed_encodings), 1)
        if line.strip()
    )
    first = next(numbered, None)
    if first is None:
        raise DataError(f"{file.name}: is empty; expected one object per line, or an array of objects")
    lines = chain([first], numbered)
    is_array = first[1].lstrip().startswith("[")
    for where, value in _read_array(file, lines) if is_array else _read_lines(file, lines):
        yield where, _pick(where, value, columns.names)


def _read_lines(file: PackedFile, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, Any]]:
    for number, line in lines:
        where = f"{file.name}, line {number}"
        yield where, _parse(where, line)


def _read_array(file: PackedFile, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, Any]]:
    for number, value in enumerate(_parse(file.name, "".join(line for _, line in lines)), 1):
        yield f"{file.name}, row {number}", value


def _parse(where: str, text: str) -> Any:  # noqa: ANN401  (whatever is there)
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except _RepeatedKeyError as error:
        raise DataError(f"{where}: has the key {error.args[0]!r} twice; keep one of them") from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: is not JSON ({error}); expected one object per line, or one array"
        ) from None


class _RepeatedKeyError(Exception):
    """A key that an object has twice; JSON says nothing of which one counts."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(next(name for name in names if names.count(name) > 1))
    return found


def _pick(where: str, value: Any, wanted: list[str]) -> tuple[object, ...]:  # noqa: ANN401  (as above)
    if not isinstance(value, dict):
        raise DataError(f"{where}: got {type(value).__name__}, expected an object with {wanted}")
    try:
        return tuple([value[name] for name in wanted])
    except KeyError as error:
        raise DataError(f"{where}: has no key {error.args[0]!r}; it has {list(value)[:20]}") from None
