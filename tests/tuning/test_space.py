from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from finsent.errors import RecipeError
from finsent.recipe.file import load_recipe, load_search
from finsent.recipe.recipe import Distillation
from finsent.recipe.search import Range
from tests import tiny
from tests.tuning.samples import SPACE, read_search
from tuning.space import SECTIONS, check_space, default_space, nest, settle

PAGE = (tiny.ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"training.learning_rat": {"log": [1e-5, 1e-3]}},
            "got training.learning_rat; training has no 'learning_rat', allowed are .*learning_rate",
        ),
        (
            {"trainin.epochs": {"int": [1, 2]}},
            "the recipe has no 'trainin', allowed are adapter, base, distillation,",
        ),
        ({"training.epochs.all": {"int": [1, 2]}}, "training.epochs has no 'all', allowed are"),
        (
            {"data.validation": {"linear": [0.1, 0.2]}},
            "the same rows; allowed are keys below adapter, base, distil",
        ),
        ({"seed": {"int": [1, 2]}}, "allowed are keys below adapter, base, distillation, text, training"),
        ({"training.seed": {"int": [1, 2]}}, "training.seed: a seed is luck and no setting"),
        (
            {"training": {"choice": [{"epochs": 1}, {"seed": 7}]}},
            "training.seed: a seed is luck and no setting",
        ),
        (
            {"distillation": {"choice": [None, {"seeds": [6, 7]}]}},
            "distillation.seeds: other teachers would have to be trained",
        ),
        ({"training.batch_size": {"linear": [4, 8]}}, "got linear, but it takes whole numbers; write int or"),
        (
            {"training.dropout": {"linear": [0, 1.5]}},
            r"dropout: tiny cannot have 1.5 there: .*got 1.5",
        ),
        (
            {"base.characters": {"choice": ["all", "greek"]}},
            "cannot have .greek. there: .*'all' or 'latin'",
        ),
        (
            {"base": {"choice": [{}, {"positions": 64}]}, "base.positions": {"choice": [64, 128]}},
            "base.positions is a part of base; leave one of them out",
        ),
    ],
)
def test_keys_and_values_that_a_recipe_does_not_take_are_told(
    space: dict[str, Any], message: str, tmp_path: Path, tiny_base: Path
) -> None:
    search, recipe = read_search(tmp_path, tiny_base, space=space)
    with pytest.raises(RecipeError, match=rf"^space.*{message}"):
        check_space(search, recipe)


def test_batches_that_would_part_pairs_are_not_searched(tmp_path: Path, tiny_base: Path) -> None:
    tokens = {"batch_size": 32, "max_tokens": 128, "pair_margin": 1.0}
    search, recipe = read_search(tmp_path, tiny_base, space={"training.batch_size": {"choice": [32, 64]}})
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update=tokens)})
    assert default_space(recipe)["training.batch_size"].values == [16, 32]
    tiny.write_recipe(tmp_path, tiny_base, training=tokens)
    with pytest.raises(RecipeError, match=r"training\.batch_size: got 64: training\.pair_margin: got"):
        check_space(search, recipe)


def test_copies_that_have_no_written_answers_are_not_searched(tmp_path: Path, tiny_base: Path) -> None:
    search, recipe = read_search(tmp_path, tiny_base, space={"distillation.splices": {"choice": [0, 2]}})
    plan = Distillation(teachers=[recipe])
    answered = recipe.model_copy(update={"distillation": plan.model_copy(update={"answers": "said"})})
    with pytest.raises(RecipeError, match=r"space\.distillation\.splices: tiny has written answers, which"):
        check_space(search, answered)
    whole, _ = read_search(tmp_path, tiny_base, space={"distillation": {"choice": [None, {"splices": 1}]}})
    with pytest.raises(RecipeError, match=r"space\.distillation\.splices: tiny has written answers, which"):
        check_space(whole, answered)


def test_any_other_key_may_be_searched(tmp_path: Path, tiny_base: Path) -> None:
    space = SPACE | {
        "training.epochs": {"int": [1, 9], "step": 2},
        "training.class_weights": {"choice": ["none", "root"]},
        "training.dropout": {"choice": [None, 0.1]},
        "text.lowercase": {"choice": [True, False]},
        "base": {"choice": [{"layers": [0]}, {"positions": 128, "hidden_size": 16}]},
    }
    search, recipe = read_search(tmp_path, tiny_base, space=space)
    check_space(search, recipe)


def test_the_sections_are_those_that_decide_the_weights_on_the_same_rows() -> None:
    assert {"base", "text", "training", "distillation"} <= SECTIONS
    assert not SECTIONS & {"labels", "seed", "data", "export", "card", "hub", "name"}


def test_dotted_keys_become_sections() -> None:
    settings = {"training.epochs": 3, "training.batch_size": 8, "base": {"layers": [0]}}
    assert nest(settings) == {"training": {"epochs": 3, "batch_size": 8}, "base": {"layers": [0]}}


def test_drawn_values_become_what_a_recipe_says() -> None:
    kinds = {
        "a": {"log": [1e-5, 1e-3]},
        "b": {"linear": [0, 1]},
        "c": {"int": [1, 9]},
        "d": {"choice": [[0, 1], None]},
    }
    space = {key: Range.model_validate(values) for key, values in kinds.items()}
    drawn = {"a": 0.000123456789, "b": 0.123456, "c": 7, "d": json.dumps([0, 1])}
    assert settle(drawn, space) == {"a": 0.0001235, "b": 0.1235, "c": 7, "d": [0, 1]}


@pytest.mark.parametrize("name", ["quickstart", "reviews", "finsent-nano", "t5-market-news-words"])
def test_recipes_of_all_kinds_take_the_values_that_are_tried_by_default(name: str) -> None:
    path = tiny.ROOT / "recipes" / f"{name}.yaml"
    recipe = load_recipe(path)
    search = load_search(path).model_copy(update={"space": default_space(recipe)})
    check_space(search, recipe)
    low, high = search.space["training.learning_rate"].values
    assert low < recipe.training.learning_rate < high
    assert recipe.training.batch_size in search.space["training.batch_size"].values
    assert ("distillation.weight" in search.space) == (recipe.distillation is not None)


def test_the_search_on_the_page_is_one(tmp_path: Path, tiny_base: Path) -> None:
    part = PAGE.partition("## Search for better settings")[2]
    tree = yaml.safe_load(part.partition("```yaml\n")[2].partition("```")[0])
    tree["space"]["base.layers"] = {"choice": [[0], [0, 1]]}  # the tiny encoder has two
    search, recipe = read_search(tmp_path, tiny_base, **tree | {"recipe": "tiny.yaml"})
    check_space(search, recipe)
    assert (search.name, search.trials, search.space["training.epochs"].kind) == ("my-search", 20, "int")
