"""Parquet, read in parts: a few bytes of it can stand for gigabytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from table import Bounds, Table, check_rows, check_unpacked, distinct, plain

PART_ROWS = 500


def read_parquet(path: Path, _: bool | None = None) -> Table:
    """Read a Parquet file.

    Raises UnreadableFile, while it is read, for more than Bounds allow, and Arrow's errors for a broken one.
    """
    import pyarrow.parquet as pq  # slow to import, and needed for no other format

    with pq.ParquetFile(path) as file:
        meta, names = file.metadata, file.schema_arrow.names
        bounds, rows = Bounds(), list[list[Any]]()
        bounds.set_columns(len(names))
        check_rows(meta.num_rows)
        check_unpacked(sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups)))
        for part in file.iter_batches(batch_size=PART_ROWS, use_threads=False):
            check_unpacked(bounds.unpacked + part.nbytes)  # before Python's objects are made of it
            for cells in zip(*map(_read_cells, part.columns), strict=True):
                rows.append([plain(cell) for cell in cells])
                bounds.add_row(rows[-1])
    return Table(distinct(names), rows)


def _read_cells(column: Any) -> list[Any]:  # noqa: ANN401  (pyarrow has no types)
    import pyarrow as pa

    try:
        cells: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # Parquet does not check that a text is UTF-8
        raw = column.cast(pa.binary()).to_pylist()
        cells = [None if cell is None else cell.decode("utf-8", "replace") for cell in raw]
    return cells
