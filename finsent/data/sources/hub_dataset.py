"""Splits of a Hub data set, as `datasets` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datasets import disable_progress_bars, load_dataset

from finsent.cli import console
from finsent.data.sources.arrow_columns import BATCH_ROWS, read_batches
from finsent.data.sources.checks import Columns, Record, pick_cells
from finsent.data.sources.fetch import Places, tell_unreachable
from finsent.errors import DataError
from finsent.recipe.data import TableSource, TextSource


def read_hub_split(
    source: TableSource | TextSource, split: str, places: Places, columns: Columns
) -> Iterator[Record]:
    """Yield the records of one split; DataError if it cannot be had or lacks a column."""
    try:
        found = _load(source, split, places)
    except Exception as error:  # `datasets` raises its own and the clients' dozens of types
        raise DataError(tell_unreachable(source, f"split {split!r}", error)) from error
    name = f"{source.hub} {split}"
    pick_cells(name, found.column_names, columns.names)
    wanted = found.select_columns(columns.names)
    batches = wanted.with_format("arrow").iter(BATCH_ROWS)
    yield from read_batches(name, wanted.features.arrow_schema, batches, columns)


def _load(source: TableSource | TextSource, split: str, places: Places) -> Any:  # noqa: ANN401  (datasets has no types)
    """Return the split from the mirror where it has the data set, else from the Hub or the cache."""
    if not console.is_terminal:
        disable_progress_bars()
    for folder in places.folders(source):
        if folder.is_dir():
            below = source.config is not None and (folder / source.config).is_dir()
            if below:  # a folder a configuration, as the Hub's converter writes it
                return load_dataset(str(folder), data_dir=source.config, split=split)
            return load_dataset(str(folder), source.config, split=split)
    return load_dataset(source.hub, source.config, split=split, revision=source.revision)
