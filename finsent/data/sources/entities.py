"""SEntFiN: a dict entity -> label a headline; a headline gives a row where its entities agree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from finsent.data.rows import LeftOut, Row
from finsent.data.sources.checks import check_text, map_label
from finsent.data.sources.table import read_table
from finsent.recipe.data import EntitySource, SplitName


def read_entities(source: EntitySource, path: Path, split: SplitName) -> Iterator[Row | LeftOut]:
    """Yield a row a headline whose entities have one label, and why every other one is left out."""
    table = read_table(path, [source.text, source.entities])
    for number, (text, cell) in enumerate(table.itertuples(index=False, name=None), 1):
        labels = _parse_labels(cell)
        if not labels:
            yield LeftOut("entity dict does not parse")
        elif len(labels) > 1:
            yield LeftOut("entities disagree")
        else:
            label = map_label(source, path, number, labels.pop())
            yield Row(check_text(path, number, text), label, source.name, split)


def _parse_labels(cell: str) -> set[str]:
    """Return the labels of a dict; none for what is no dict, such as one with an unescaped apostrophe."""
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        return set()
    return {str(label) for label in value.values()} if isinstance(value, dict) else set()
