"""Checks of single values; their errors say where a value stands, what it is and what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from finsent.errors import DataError
from finsent.recipe.data import Source

Record = tuple[str, tuple[object, ...]]
"""Where it stands, such as `rows.csv, line 3`, and the wanted cells in their order."""


@dataclass(frozen=True)
class Columns:
    """What is wanted of a table: columns by name, and the values that are known of some of them.

    `label` is None where nothing is labelled.
    """

    names: list[str]
    label: str | None = None
    values: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def labels(self) -> set[str]:
        """The known labels."""
        return self.values.get(self.label, set()) if self.label else set()


def pick_cells(
    name: str, header: list[str], wanted: list[str]
) -> Callable[[Sequence[object]], tuple[object, ...]]:
    """Return what takes the wanted cells out of a row; DataError if a column is missing or there twice."""
    for column in wanted:
        if column not in header:
            raise DataError(f"{name}: no column {column!r}; it has {header[:20]}")
        if header.count(column) > 1:
            raise DataError(
                f"{name}: has the column {column!r} {header.count(column)} times; rename all but one"
            )
    at = [header.index(column) for column in wanted]
    return itemgetter(*at) if len(at) > 1 else lambda cells: (cells[at[0]],)


def check_text(where: str, value: object, column: str = "text") -> str:
    """Return a text; DataError if it is not one, empty, or cannot be written as UTF-8."""
    if not isinstance(value, str):
        raise DataError(f"{where}: {_tell(value, column)}, expected text")
    if not value or value.isspace():
        raise DataError(f"{where}: the text is empty; fill it in or remove the row")
    if "\0" in value:
        raise DataError(f"{where}: the text has a NUL character; remove it")
    if not value.isascii():
        _check_letters(where, value)
    return value


def _check_letters(where: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = text[error.start]
        raise DataError(
            f"{where}: the text contains {found!r}, which is half a character; write the whole one"
        ) from None


def label_text(where: str, value: object, column: str = "label") -> str:
    """Return a label as a recipe writes it: text as it is, 1 and 1.0 as `1`, truth as `true` or `false`.

    Raises DataError: nothing stands there, or something else than text, a whole number or truth.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal) and value == value and value % 1 == 0:
        return str(int(value))
    raise DataError(f"{where}: {_tell(value, column)}, expected text, a whole number or true or false")


def map_label(source: Source, where: str, label: str) -> str | None:
    """Return the recipe's label for a source's, None where it is mapped away.

    DataError if the source maps no such label. `1.0` in a text file counts as 1.
    """
    if label not in source.labels:
        whole, _, rest = label.partition(".")
        if not (rest and not rest.strip("0") and whole in source.labels):
            told = f"unknown label {label!r}" if label.strip() else "the label is empty"
            raise DataError(
                f"{where}: {told}; {source.name} maps {list(source.labels)}: add it to `labels`, with null "
                "to leave such rows out"
            )
        label = whole
    return source.labels[label]


def _tell(value: object, column: str) -> str:
    if value is None or value != value:
        return f"{column!r} has no value"
    return f"{column!r} is {type(value).__name__} {str(value)[:40]!r}"
