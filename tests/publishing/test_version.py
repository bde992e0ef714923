from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from finsent.recipe.file import dump_recipe
from finsent.recipe.recipe import Recipe
from finsent.yaml_dialects import dump_yaml
from publishing.version import is_made_alike
from tests.finsent.recipe.samples import write_taught


def changed(text: str, path: str, value: Any) -> bytes:
    tree = yaml.safe_load(text)
    at = tree
    *parents, last = path.split(".")
    for key in parents:
        at = at[int(key) if key.isdigit() else key]
    assert at[last] != value
    at[last] = value
    return dump_yaml(tree).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("card.summary", "Other words."),
        ("card.title", "T"),
        ("hub.model", "ann/x"),
        ("hub.space", "ann/x-demo"),
    ],
)
def test_words_of_a_recipe_are_no_part_of_how_it_is_made(
    tiny_recipe: Recipe, path: str, value: object
) -> None:
    text = dump_recipe(tiny_recipe)
    assert is_made_alike(text.encode(), changed(text, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 99), ("training.epochs", 7), ("base.hub", "other/base"), ("data.sources.0.licence", "mit"),
        ("text.max_characters", 99), ("export.opset", 18), ("evaluation.bootstrap", 222),
        ("version", "9.9.9"),
    ],
)  # fmt: skip
def test_all_else_of_a_recipe_is(tiny_recipe: Recipe, path: str, value: object) -> None:
    text = dump_recipe(tiny_recipe)
    assert not is_made_alike(text.encode(), changed(text, path, value))


def test_words_of_a_teacher_are_words_too(tmp_path: Path) -> None:
    from finsent.recipe.file import load_recipe

    text = dump_recipe(load_recipe(write_taught(tmp_path)))
    assert is_made_alike(text.encode(), changed(text, "distillation.teachers.0.card.summary", "Other words."))
    assert not is_made_alike(text.encode(), changed(text, "distillation.teachers.0.training.epochs", 7))


def test_a_recipe_that_cannot_be_read_is_another_one(tiny_recipe: Recipe) -> None:
    assert not is_made_alike(dump_recipe(tiny_recipe).encode(), b"- no recipe")
