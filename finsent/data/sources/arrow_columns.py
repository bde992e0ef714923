"""Columns of Arrow: Parquet files, and what `datasets` holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyarrow import parquet

from finsent.data.sources.checks import Columns, Record, pick_cells
from finsent.data.sources.packed import PackedFile, reading
from finsent.errors import DataError
from finsent.recipe.data import TableFormat

BATCH_ROWS = 8192


def read_parquet(file: PackedFile, written: TableFormat, columns: Columns) -> Iterator[Record]:
    """Yield the records by their row; names of classes stand for their numbers where the labels are names."""
    with reading(file.name), file.whole() as raw, parquet.ParquetFile(raw) as table:
        pick_cells(file.name, table.schema_arrow.names, columns.names)
        batches = table.iter_batches(BATCH_ROWS, columns=columns.names)
        yield from read_batches(file.name, table.schema_arrow, batches, columns)


def read_batches(name: str, schema: Any, batches: Iterable[Any], columns: Columns) -> Iterator[Record]:  # noqa: ANN401  (pyarrow has no types)
    """Yield the records of Arrow batches that hold the wanted columns; DataError if a text is not UTF-8."""
    namers = {column: _find_namer(schema, column, columns) for column in columns.names}
    number = 0
    for batch in batches:
        try:
            cells = [_values(batch.column(column), namers[column]) for column in columns.names]
        except UnicodeDecodeError as error:
            raise DataError(f"{name}, rows from {number + 1}: a text is not UTF-8 ({error.reason})") from None
        for record in zip(*cells, strict=True):
            number += 1
            yield f"{name}, row {number}", record


def _values(column: Any, namer: Callable[[object], object] | None) -> list[object]:  # noqa: ANN401  (as above)
    values: list[object] = column.to_pylist()
    return values if namer is None else [namer(value) for value in values]


def _find_namer(schema: Any, column: str, columns: Columns) -> Callable[[object], object] | None:  # noqa: ANN401  (as above)
    """Return what turns numbers into names of classes, None if there are none or numbers are wanted."""
    names = _class_names(schema, column)
    if not names or not columns.values.get(column, set()) <= {*names, "-1"}:
        return None
    return lambda value: names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _class_names(schema: Any, column: str) -> list[str]:  # noqa: ANN401  (as above)
    """Return the names of a ClassLabel, which `datasets` writes into the schema."""
    written = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(written).get("info", {}).get("features", {}) if written else {}
    feature = features.get(column, {})
    return list(feature["names"]) if isinstance(feature, dict) and "names" in feature else []
