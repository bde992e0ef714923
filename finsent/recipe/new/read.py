"""A table read whole for guessing, every cell as text. Training reads it again by the recipe, and more strictly."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import pandas
import pyarrow

from finsent.errors import DataError
from finsent.recipe.new.layout import HEAD, Layout, guess_layout
from finsent.recipe.new.table import Table

csv.field_size_limit(10_000_000)  # characters; longer cells come of a quote that is never closed


def read_tables(paths: list[Path]) -> tuple[Table, Layout]:
    """Read files that are one table. DataError: one cannot be read, or has other columns than the first."""
    layout = layout_of(paths[0])
    columns: dict[str, list[str]] = {}
    for path in paths:
        found = read_table(path, layout)
        if columns and found.columns.keys() != columns.keys():
            raise DataError(f"{path.name}: has columns {list(found.columns)}, {paths[0].name} has {list(columns)}")
        for name, values in found.columns.items():
            columns.setdefault(name, []).extend(values)
    table = Table(paths[0].name, columns)
    if not table.rows:
        raise DataError(f"{table.name}: has no row")
    return table, layout


def layout_of(path: Path) -> Layout:
    """Return the layout of a file; that of formats which describe themselves is the usual one."""
    if kind_of(path) not in (".csv", ".tsv", ".txt"):
        return Layout()
    with open_file(path) as file:
        return guess_layout(file.read(HEAD), path.name)


def kind_of(path: Path) -> str:
    """Return what a file holds by its name, such as `.csv`, without how it is packed."""
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            name = _member(packed, path)
    return PurePosixPath(name.removesuffix(".gz").removesuffix(".zst")).suffix.lower()


def _member(packed: zipfile.ZipFile, path: Path) -> str:
    names = [one for one in packed.namelist() if not one.endswith("/") and not one.startswith("__MACOSX")]
    if len(names) != 1:
        raise DataError(f"{path.name}: holds {len(names)} files ({', '.join(names[:5])}); unpack the one to use")
    return names[0]


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading its bytes, unpacked."""
    ending = path.suffix.lower()
    if ending == ".zip":
        packed = zipfile.ZipFile(path)
        return cast("BinaryIO", packed.open(_member(packed, path)))
    packing = {".gz": "gzip", ".zst": "zstd"}.get(ending)
    return cast("BinaryIO", pyarrow.input_stream(str(path), compression=packing))


def read_table(path: Path, layout: Layout) -> Table:
    """Read a file whole; DataError when it cannot be."""
    try:
        return Table(path.name, _READERS.get(kind_of(path), _read_text)(path, layout))
    except (ValueError, OSError, csv.Error, zipfile.BadZipFile, pyarrow.ArrowException) as error:
        raise DataError(f"{path.name}: cannot be read: {' '.join(str(error).split())[:200]}") from error


def _read_text(path: Path, layout: Layout) -> dict[str, list[str]]:
    quoting = csv.QUOTE_NONE if layout.quoting == "none" else csv.QUOTE_MINIMAL
    with open_file(path) as file:
        lines = io.TextIOWrapper(file, encoding=layout.encoding or "utf-8-sig", newline="")
        rows = csv.reader(lines, delimiter=layout.delimiter or ",", quoting=quoting)  # type: ignore[arg-type]
        names = layout.columns or next(rows, [])
        whole = [row for row in rows if len(row) == len(names)]
    return {name: [row[index] for row in whole] for index, name in enumerate(names)}


def _read_json(path: Path, _: Layout) -> dict[str, list[str]]:
    with open_file(path) as file:
        content = file.read().decode("utf-8-sig")
    if content.lstrip().startswith("["):
        return _columns(json.loads(content))
    return _columns([json.loads(line) for line in content.split("\n") if line.strip()])


def _read_parquet(path: Path, _: Layout) -> dict[str, list[str]]:
    with open_file(path) as file:
        return _columns(pandas.read_parquet(io.BytesIO(file.read())).to_dict("records"))


def _read_sheet(path: Path, _: Layout) -> dict[str, list[str]]:
    return _columns(pandas.read_excel(path, dtype=object).to_dict("records"))


def _columns(records: list[Any]) -> dict[str, list[str]]:
    """Return the columns of all records; what a record lacks is empty."""
    if any(not isinstance(record, dict) for record in records):
        raise ValueError("its records are no objects with a key a column")
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    return {name: [as_text(record.get(name)) for record in records] for name in names}


def as_text(value: Any) -> str:  # noqa: ANN401  (whatever a file holds)
    """Return a cell as text: whole numbers without a fraction, nothing for what is missing."""
    if value is None or value is pandas.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_READERS = {".json": _read_json, ".jsonl": _read_json, ".parquet": _read_parquet, ".xlsx": _read_sheet}
