"""Tables: CSV, JSONL or Parquet with a text and a label column."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pandas

from finsent.data.rows import Row
from finsent.data.sources.checks import check_text, map_label
from finsent.errors import DataError
from finsent.recipe.data import SplitName, TableSource


def read_labelled_table(source: TableSource, path: Path, split: SplitName) -> Iterator[Row]:
    """Yield a row a record."""
    wanted = [name for name in (source.text, source.label, source.group, source.slice) if name]
    for number, record in enumerate(read_table(path, wanted).to_dict("records"), 1):
        yield Row(
            text=check_text(path, number, str(record[source.text])),
            label=map_label(source, path, number, str(record[source.label])),
            source=source.name,
            split=split,
            group=str(record[source.group]) if source.group else "",
            slice=str(record[source.slice]) if source.slice else "",
        )


def read_table(path: Path, wanted: list[str]) -> pandas.DataFrame:
    """Read the wanted columns; no cell of a CSV is taken for a number or for a missing value.

    Raises DataError: the file cannot be read, or lacks a column or a value of it.
    """
    table = _read_columns(path)
    if missing := [name for name in wanted if name not in table.columns]:
        raise DataError(f"{path.name}: no column {missing[0]!r}; it has {list(table.columns)}")
    for name in wanted:
        if (empty := table[name].isna()).any():
            raise DataError(f"{path.name}, row {int(empty.to_numpy().argmax()) + 1}: {name!r} has no value")
    return table[wanted]


def _read_columns(path: Path) -> pandas.DataFrame:
    try:
        if path.suffix == ".csv":
            return pandas.read_csv(_open_text(path), dtype=str, keep_default_na=False)
        if path.suffix in (".jsonl", ".json"):
            return pandas.read_json(_open_text(path), lines=True, dtype=False)
        if path.suffix == ".parquet":
            return pandas.read_parquet(path)
    except UnicodeDecodeError:
        raise DataError(_undecodable(path)) from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name}: cannot be read: {' '.join(str(error).split())[:200]}") from error
    raise DataError(f"{path.name}: got {path.suffix!r}; allowed are .csv, .jsonl and .parquet")


def _open_text(path: Path) -> io.StringIO:
    """Return UTF-8 text without byte-order marks; joined files have more than one."""
    return io.StringIO(re.sub(r"(?m)^\ufeff+", "", path.read_bytes().decode("utf-8")), newline="")


def _undecodable(path: Path) -> str:
    for number, line in enumerate(path.read_bytes().split(b"\n"), 0):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            value = line[error.start : error.start + 4]
            return f"{path.name}, row {number}: bytes {value!r} are not UTF-8; save the file as UTF-8"
    return f"{path.name}: is not UTF-8"
