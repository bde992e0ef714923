"""SEntFiN: a dict entity -> label a headline; a headline gives a row where its entities agree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from finsent.data.rows import LeftOut, Row
from finsent.data.sources.checks import Columns, check_text, map_label
from finsent.data.sources.formats import read_cells
from finsent.recipe.data import EntitySource, SplitName, TableFormat


def read_entities(source: EntitySource, path: Path, split: SplitName) -> Iterator[Row | LeftOut]:
    """Yield a row a headline whose entities have one label, and why every other one is left out."""
    for where, (text, cell) in read_cells(path, TableFormat(), Columns([source.text, source.entities])):
        labels = _parse_labels(str(cell))
        if not labels:
            yield LeftOut("entity dict does not parse", str(text))
        elif len(labels) > 1:
            yield LeftOut("entities disagree", str(text))
        elif (label := map_label(source, where, labels.pop())) is None:
            yield LeftOut("label is mapped to null", str(text))
        else:
            yield Row(check_text(where, text), label, source.name, split)


def _parse_labels(cell: str) -> set[str]:
    """Return the labels of a dict; none for what is no dict, such as one with an unescaped apostrophe."""
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        return set()
    return {str(label) for label in value.values()} if isinstance(value, dict) else set()
