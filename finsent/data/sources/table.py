"""Tables with a text and a label column, of any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from sys import intern

from finsent.data.rows import LeftOut, Row
from finsent.data.sources.checks import Columns, Record, check_text, label_text, map_label
from finsent.data.sources.formats import read_cells
from finsent.recipe.data import SplitName, TableFormat, TableSource


def read_labelled_table(source: TableSource, path: Path, split: SplitName) -> Iterator[Row | LeftOut]:
    """Yield a row a record, or why it is left out."""
    return label_records(source, read_cells(path, source, wanted_columns(source)), split)


def wanted_columns(source: TableSource) -> Columns:
    """Return the columns that a source names, and the values that it knows of them."""
    names = [name for name in (source.text, source.label, source.group, source.slice) if name]
    values = known_values(source)
    values[source.label] = values.get(source.label, set()) | set(source.labels)
    return Columns(list(dict.fromkeys([*names, *source.where])), source.label, values)


def known_values(source: TableFormat) -> dict[str, set[str]]:
    """Return the values that a source's key `where` names, by column."""
    return {column: set(values) for column, values in source.where.items()}


def label_records(
    source: TableSource, records: Iterable[Record], split: SplitName
) -> Iterator[Row | LeftOut]:
    """Yield a row a record, or why it is left out; DataError if a value is none that can be used."""
    at = {name: index for index, name in enumerate(wanted_columns(source).names)}
    text, label = at[source.text], at[source.label]
    group, part = at.get(source.group or ""), at.get(source.slice or "")
    for where, cells in records:
        if reason := find_other(source, where, cells, at):
            yield LeftOut(reason, str(cells[text]))
            continue
        found = label_text(where, cells[label], source.label)
        target = source.labels.get(found) or map_label(source, where, found)
        if target is None:
            yield LeftOut(f"label {found!r} is mapped to null", str(cells[text]))
            continue
        yield Row(
            check_text(where, cells[text], source.text),
            target,
            source.name,
            split,
            "" if group is None else _name(where, cells[group], str(source.group)),
            "" if part is None else _name(where, cells[part], str(source.slice)),
        )


def find_other(source: TableFormat, where: str, cells: tuple[object, ...], at: dict[str, int]) -> str:
    """Return by which key of `where` a record is left out, nothing where it stays."""
    for column, values in source.where.items():
        cell = cells[at[column]]
        if cell is None or label_text(where, cell, column) not in values:
            return f"where: {column} is another"
    return ""


def _name(where: str, value: object, column: str) -> str:
    """Return the name of a group or slice, kept once however many rows are of it."""
    if value is None:
        return ""
    return intern(str(value) if isinstance(value, date) else label_text(where, value, column))
