"""A source in a folder, and its rows."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from finsent.data.rows import Row
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.recipe.data import Source

COMMON = {"name": "s", "title": "S", "licence": "mit", "files": {"train": ["rows.csv"]}}


LABELS = {"labels": {"0": "negative", "1": "positive"}}


def make_source(folder: Path, kind: str = "table", **changes: object) -> Source:
    place = {} if "hub" in changes else {"path": str(folder)}
    tree = {"kind": kind, **COMMON, **LABELS, **place, **changes}
    source: Source = TypeAdapter(Source).validate_python(tree)
    return source


def read(source: Source, mirror: Path | None = None) -> list[Row]:
    return read_source(source, Places(mirror)).rows
