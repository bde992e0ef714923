"""docs/recipes.md tells every key of the section `data`, and its examples are recipes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from finsent.data.sources.formats import FORMATS
from finsent.recipe.data import Data, TableSource, TextSource
from finsent.recipe.file import load_recipe
from tests import tiny
from tests.finsent.recipe.samples import write_recipe

PAGE = (tiny.ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(found) for found in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def first_cells(heading: str) -> set[str]:
    """The words in backticks in the first cells of the tables below a heading."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_key_of_a_table_is_told_and_no_other() -> None:
    formats = {word for word in first_cells("A table") if word.startswith(".")}
    assert formats == FORMATS.keys()
    values = {"1.0", "ClassLabel"}  # of labels
    keys = first_cells("Any source") | first_cells("A table") - formats - values
    assert keys == TableSource.model_fields.keys()


def test_every_key_of_texts_and_of_splits_is_told() -> None:
    shared = TableSource.model_fields.keys() & TextSource.model_fields.keys()
    assert first_cells("Texts without labels") - shared == TextSource.model_fields.keys() - shared
    assert first_cells("Splits") == Data.model_fields.keys() - {"sources", "unlabelled"}


def test_the_keys_of_formats_are_those_that_their_readers_heed() -> None:
    rows = dict(re.findall(r"^\| (`\.[^|]+)\|([^|]*)\| the (?:line|row)", PAGE, re.MULTILINE))
    told = {name: set(re.findall(r"`(\w+)`", keys)) for names, keys in rows.items() for name in _names(names)}
    assert told == {name: set(one.keys) for name, one in FORMATS.items()}


def _names(cell: str) -> list[str]:
    return re.findall(r"`(\.\w+)`", cell)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_example_is_read(example: dict[str, Any], tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    data = {"sources": tree["data"]["sources"]} | example["data"]
    labels = {"labels": ["bad", "good"]} if "sources" in example["data"] else {}
    card = {key: value for key, value in tree["card"].items() if key not in ("label_meanings", "tones")}
    if labels:
        words = [one | {"expected": "good"} for one in card["examples"]]
        tree["card"] = card | {"label_meanings": {"good": "good", "bad": "bad"}, "examples": words}
    path.write_text(yaml.safe_dump(tree | labels | {"data": data}), encoding="utf-8")
    recipe = load_recipe(path)
    dumped = recipe.model_dump(mode="json", exclude_defaults=True)["data"]
    for key, value in example["data"].items():
        assert [given.items() <= found.items() for given, found in zip(value, dumped[key], strict=True)] == [
            True
        ]
