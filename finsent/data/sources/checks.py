"""Checks of single values; their errors name the file, the row and the value that was found there."""

from __future__ import annotations

from pathlib import Path

from finsent.errors import DataError
from finsent.recipe.data import Source


def map_label(source: Source, path: Path, number: int, label: str) -> str:
    """Return the recipe's label for a source's; DataError when the source maps no such label."""
    if label not in source.labels:
        raise DataError(
            f"{path.name}, row {number}: unknown label {label!r}; {source.name} maps {list(source.labels)}"
        )
    return source.labels[label]


def check_text(path: Path, number: int, text: str) -> str:
    """Return the text; DataError when it is empty."""
    if not text.strip():
        raise DataError(f"{path.name}, row {number}: the text is empty; fill it in or remove the row")
    return text
