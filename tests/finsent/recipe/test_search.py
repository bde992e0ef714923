from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.recipe.file import load_recipe, load_search
from finsent.recipe.search import Range
from tests import tiny
from tests.tuning.samples import write_search
from tuning.setup import read_recipe

SHIPPED = [
    path
    for path in sorted((REPOSITORY / "recipes" / "searches").glob("*.yaml"))
    if "\nspace:" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_searches_name_keys_and_values_that_their_recipe_takes(path: Path) -> None:
    search, recipe = read_recipe(load_search(path), Path("runs"))
    assert search.name == f"{path.stem}-search" and len(search.space) >= 4
    assert recipe.data.sources


def test_there_are_shipped_searches() -> None:
    assert len(SHIPPED) >= 2


@pytest.mark.parametrize(
    ("values", "kind", "ends"),
    [
        ({"log": [1e-5, 1e-3]}, "log", [1e-5, 1e-3]),
        ({"linear": [0, 0.2]}, "linear", [0.0, 0.2]),
        ({"int": [1, 9], "step": 4}, "int", [1, 9]),
        ({"choice": [[0, 1], None, "on"]}, "choice", [[0, 1], None, "on"]),
    ],
)
def test_values_are_of_four_kinds(values: dict[str, Any], kind: str, ends: list[Any]) -> None:
    found = Range.model_validate(values)
    assert (found.kind, found.values) == (kind, ends)
    assert Range.model_validate(found.model_dump(by_alias=True)) == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give exactly one of log, linear, int, choice, got none"),
        ({"log": [0.1, 0.2], "int": [1, 2]}, "got log, int"),
        ({"log": [0.2, 0.1]}, "log: give the lower bound first, got .0.2, 0.1."),
        ({"log": [0, 0.1]}, "log: bounds must be above 0, got .0.0, 0.1.; use linear"),
        ({"log": ["2e-5", 0.1]}, "got the text '2e-5'; numbers in YAML have a point, such as 2.0e-5"),
        ({"linear": [0.1]}, r"linear: got \[0.1\]; list should have at least 2 items"),
        ({"int": [1.5, 2]}, "int.0: got 1.5; input should be a valid integer"),
        ({"linear": [0, 1], "step": 2}, "step: is for int; leave it out with linear"),
        ({"choice": [1, 1]}, "choice: values must differ, got 1, 1"),
        ({"choices": [1, 2]}, "choices: unknown key"),
    ],
)
def test_values_that_cannot_be_drawn_are_told(
    values: dict[str, Any], message: str, tmp_path: Path, tiny_base: Path
) -> None:
    path = write_search(tmp_path, tiny_base, space={"training.warmup": values})
    with pytest.raises(RecipeError, match=rf"search.yaml: space.training.warmup.*{message}"):
        load_search(path)


def test_a_recipe_alone_is_a_search_around_it(tmp_path: Path, tiny_base: Path) -> None:
    search = load_search(tiny.write_recipe(tmp_path, tiny_base))
    assert (search.name, search.space, search.trials) == ("tiny-search", {}, 20)
    assert load_recipe(search.recipe_file).name == "tiny"


def test_changes_of_a_recipe_are_read_like_one_that_extends_it(tmp_path: Path, tiny_base: Path) -> None:
    path = tiny.write_recipe(tmp_path, tiny_base)
    child = tmp_path / "child.yaml"
    child.write_text("extends: tiny.yaml\ntraining: {epochs: 3}\n", encoding="utf-8")
    assert load_recipe(path, changes={"training": {"epochs": 3}}) == load_recipe(child)
