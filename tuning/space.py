"""What a search may change: keys of a recipe that decide the weights, each with values that it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from finsent.errors import FinsentError, RecipeError
from finsent.optional_packages import check_packages
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import MAKING, Recipe
from finsent.recipe.schema import recipe_schema
from finsent.recipe.search import Range, Search
from finsent.recipe.training import Training
from finsent.training.batches import check_pairs_fit

SECTIONS = MAKING - {"labels", "seed", "data", "export"}  # with other rows, scores could not be compared
REFUSED = {
    "training.seed": "a seed is luck and no setting; the finalists are trained with several",
    "distillation.teachers": "other teachers would have to be trained for every trial",
    "distillation.seeds": "other teachers would have to be trained for every trial",
    "distillation.answers": "other answers would have to be written for every trial",
}
COPIES = {f"distillation.{key}" for key in ("augmentations", "splices", "opposites", "transfer")}
DIGITS = 4  # of a drawn number; more of them are noise
LEAST, MOST = 1 / 4, 4.0  # times the recipe's learning rate
MOST_EPOCHS = 100

Settings = dict[str, Any]
Node = dict[str, Any]


def nest(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted keys as sections: `{"training.epochs": 3}` as `{"training": {"epochs": 3}}`."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, last = key.split(".")
        owner = tree
        for name in sections:
            owner = owner.setdefault(name, {})
        owner[last] = value
    return tree


def settle(drawn: Mapping[str, Any], space: Mapping[str, Range]) -> Settings:
    """Return what a recipe says for drawn values: choices are drawn as JSON, numbers have few digits."""
    return {key: _settle(drawn[key], space[key]) for key in space}


def _settle(value: Any, values: Range) -> Any:  # noqa: ANN401  (of any type that a recipe holds)
    if values.kind == "choice":
        return json.loads(value)
    return float(f"{value:.{DIGITS}g}") if values.kind in ("log", "linear") else value


def default_space(recipe: Recipe) -> dict[str, Range]:
    """Return values around those of a recipe, of keys that every recipe takes; its batches stay small."""
    training, plan = recipe.training, recipe.distillation
    rate, epochs, rows = training.learning_rate, training.epochs, training.batch_size
    low, high = round(epochs / 2), min(MOST_EPOCHS, round(2 * epochs))
    tree: dict[str, Any] = {
        "training.learning_rate": {"log": [_short(LEAST * rate), _short(min(MOST * rate, 0.5))]},
        "training.epochs": {"int": [low, high]} if 1 <= low < high else {"linear": [epochs / 2, 2 * epochs]},
        "training.dropout": {"linear": [0, 0.3]},
    }
    sizes = [size for size in sorted({max(1, rows // 2), rows, 2 * rows}) if _fits_pairs(training, size)]
    if len(sizes) > 1:
        tree["training.batch_size"] = {"choice": sizes}
    if plan is None:
        tree["training.label_smoothing"] = {"linear": [0, 0.2]}
    else:
        tree["distillation.weight"] = {"linear": [0.3, 1]}
    return {key: Range.model_validate(values) for key, values in tree.items()}


def _short(number: float) -> float:
    return float(f"{number:.2g}")


def check_space(search: Search, recipe: Recipe) -> None:
    """Raise RecipeError for a key that no search may change, or a value that the recipe does not take.

    FinsentError if a value needs a package that is missing.
    """
    for key in search.space:
        check_key(key)
        _check_answered(key, recipe)
        if inside := [other for other in search.space if other.startswith(f"{key}.")]:
            raise RecipeError(f"space: {inside[0]} is a part of {key}; leave one of them out")
    for key, values in search.space.items():
        for value in values.values:
            for part in _keys_in(key, value):
                _refuse(part)
                _check_answered(part, recipe)
            _check_value(search, recipe, key, value)


def _check_answered(key: str, recipe: Recipe) -> None:
    if key in COPIES and recipe.has_written_answers:
        raise RecipeError(
            f"space.{key}: {recipe.name} has written answers, which other copies are not among; take answers "
            "out of its distillation, so that its teachers are asked"
        )


def _keys_in(key: str, value: Any) -> Iterator[str]:  # noqa: ANN401  (any value)
    """Yield the dotted keys that a value of `key` sets, if it is a section."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield f"{key}.{name}"
        yield from _keys_in(f"{key}.{name}", inner)


def check_key(key: str) -> None:
    """Raise RecipeError unless a dotted key is one that a search may change; the message names those."""
    section = key.partition(".")[0]
    if section not in SECTIONS and section in Recipe.model_fields:
        raise RecipeError(
            f"space: got {key}, but a search only changes what is learnt from the same rows; allowed are "
            f"keys below {', '.join(sorted(SECTIONS))}"
        )
    _refuse(key)
    _find_key(key)


def _refuse(key: str) -> None:
    if why := REFUSED.get(key):
        raise RecipeError(f"space: got {key}: {why}; leave it out")


def _find_key(key: str) -> Node:
    """Return what the schema says of a dotted key; RecipeError with the keys that are known there."""
    schema: Node = json.loads(recipe_schema())
    node, above = schema, "the recipe"
    for name in key.split("."):
        known = _keys_of(node, schema)
        if name not in known:
            allowed = sorted(SECTIONS) if above == "the recipe" else sorted(known)
            raise RecipeError(f"space: got {key}; {above} has no {name!r}, allowed are {', '.join(allowed)}")
        node, above = known[name], name if above == "the recipe" else f"{above}.{name}"
    return node


def _keys_of(node: Node, schema: Node) -> dict[str, Node]:
    """Return the keys of a section, or of the section that a key holds; none of what holds no section."""
    if "$ref" in node:
        return _keys_of(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    inner = [_keys_of(one, schema) for one in node.get("anyOf", ())]
    return {**node.get("properties", {}), **{key: value for one in inner for key, value in one.items()}}


def _check_value(search: Search, recipe: Recipe, key: str, value: Any) -> None:  # noqa: ANN401  (any value)
    kind = search.space[key].kind
    if kind in ("log", "linear") and _is_whole(_find_key(key)):
        raise RecipeError(f"space.{key}: got {kind}, but it takes whole numbers; write int or choice")
    try:
        changed = load_recipe(search.recipe_file, recipe.runs, nest({key: value}))
    except RecipeError as error:
        raise RecipeError(
            f"space.{key}: {recipe.name} cannot have {json.dumps(value)} there: {error}"
        ) from None
    check_packages(changed)
    _check_pairs(key, value, changed)


def _check_pairs(key: str, value: Any, changed: Recipe) -> None:  # noqa: ANN401  (as above)
    try:
        check_pairs_fit(changed.training, 1)
    except FinsentError as error:
        raise RecipeError(f"space.{key}: got {json.dumps(value)}: {error}") from None


def _fits_pairs(training: Training, rows: int) -> bool:
    """Tell whether batches of so many rows leave a margin between pairs its one piece."""
    try:
        check_pairs_fit(training.model_copy(update={"batch_size": rows}), 1)
    except FinsentError:
        return False
    return True


def _is_whole(node: Node) -> bool:
    types = {one.get("type") for one in (node, *node.get("anyOf", ()))}
    return "integer" in types and "number" not in types
