"""A recipe as a YAML file, with what it extends and the recipes that it names.

`load_recipe` reads a recipe file, `read_released_recipe` the copy inside a release, which may be older than
today's keys, `load_pretraining` a recipe of a pretraining, and `load_search` a search over a recipe's keys.
All return what is frozen, or raise a `RecipeError` that names the key, what was got and what is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from finsent.errors import RecipeError
from finsent.recipe.known_keys import suggest_key
from finsent.recipe.places import with_places_from
from finsent.recipe.pretraining import LabelledRows, Pretraining
from finsent.recipe.recipe import Recipe
from finsent.recipe.renamed import find_old_keys, with_new_names
from finsent.recipe.search import Search
from finsent.release import RUNS
from finsent.yaml_dialects import describe_readings, dump_yaml, find_keys_that_are_no_text

Model = TypeVar("Model", bound=BaseModel)
PAGES: dict[type[BaseModel], str] = {
    Recipe: "docs/recipe-keys.md",
    Pretraining: "docs/pretraining-keys.md",
    Search: "docs/methods.md",
}
ROWS = {*LabelledRows.model_fields, "extends", "replace"}  # what is read of a recipe that is protected


def load_recipe(path: Path, runs: Path = RUNS, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe and everything that it extends; encoders that other recipes make lie in `runs`.

    `changes` are keys as a recipe would have them that extends this one. Raises RecipeError: a file is
    missing or no YAML mapping, extends itself, or holds what is not allowed.
    """
    home = path.parent.absolute()
    tree = _merge(_read_tree(path, (), home), changes or {})
    if "objective" in tree:
        raise RecipeError(f"{path}: is a recipe of a pretraining; run python pretrain.py {path}")
    return _validate(Recipe, tree, path, home=home, runs=runs)


def load_pretraining(path: Path) -> Pretraining:
    """Read a recipe of a pretraining; errors as above."""
    home = path.parent.absolute()
    tree = _read_tree(path, (), home)
    if "labels" in tree:
        raise RecipeError(f"{path}: is a recipe of a classifier; run python train.py {path}")
    return _validate(Pretraining, tree, path, home=home)


def load_search(path: Path, runs: Path = RUNS) -> Search:
    """Read a search; of a recipe that stands alone one is made, which names no keys. Errors as above."""
    tree = _read_mapping(path)
    if "recipe" not in tree:
        tree = {"name": f"{load_recipe(path, runs).name}-search", "recipe": path.name}
    return _validate(Search, tree, path, home=path.parent.absolute())


def read_released_recipe(path: Path) -> Recipe:
    """Read the recipe.yaml of a release, whose keys may still have their first names.

    Raises RecipeError: the file is missing, no YAML mapping, or holds what is not allowed.
    """
    return parse_released_recipe(_read(path), path)


@lru_cache(maxsize=4)  # a push reads the same one six times, and YAML is slow
def parse_released_recipe(content: bytes, name: Path) -> Recipe:
    """Read the content of a release's recipe.yaml that lies elsewhere; errors as above, under `name`."""
    return _validate(Recipe, with_new_names(_parse_mapping(content, name)), name)


def _validate(model: type[Model], tree: dict[str, Any], path: Path, **context: Path) -> Model:
    try:
        return model.model_validate_json(json.dumps(tree), strict=True, context=context)
    except ValidationError as error:
        problems = "; ".join(_explain(problem, model) for problem in error.errors())
        raise RecipeError(f"{path}: {problems}") from None


def _read_tree(
    path: Path, seen: tuple[Path, ...], home: Path, keys: set[str] | None = None
) -> dict[str, Any]:
    """Return what a file says, with paths as seen from `home`, the folder of the recipe that is asked for.

    With `keys` nothing but these is read.
    """
    if path.resolve() in seen:
        raise RecipeError(f"{path}: extends itself through {' -> '.join(p.name for p in seen)}")
    tree = _read_mapping(path)
    if old := find_old_keys(tree):
        told = "; ".join(f"{first}: is now called {now}" for first, now in old.items())
        raise RecipeError(f"{path}: {told}; rename it in the file")
    try:
        placed = with_places_from(_keep(tree, keys), path.parent, home)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    return _follow(placed, path, (*seen, path.resolve()), home, keys)


def _keep(tree: dict[str, Any], keys: set[str] | None) -> dict[str, Any]:
    if keys is None:
        return tree
    kept = {key: value for key, value in tree.items() if key in keys}
    if isinstance(kept.get("replace"), list):
        kept["replace"] = [one for one in kept["replace"] if str(one).partition(".")[0] in keys]
    return kept


def _read_mapping(path: Path) -> dict[str, Any]:
    return _parse_mapping(_read(path), path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error}); recipes are in recipes/*.yaml") from None


def _parse_mapping(content: bytes, path: Path) -> dict[str, Any]:
    try:
        loader = yaml.SafeLoader(content.decode("utf-8"))
        node = loader.get_single_node()
        _check_keys(node, path)
        tree: Any = loader.construct_document(node) if node else None
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: cannot be read ({error}); recipes are in recipes/*.yaml") from None
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise RecipeError(f"{path}: must be a mapping of keys, got {type(tree).__name__}")
    try:
        json.dumps(tree)
    except (TypeError, ValueError, RecursionError) as error:  # a date, or a mapping that holds itself
        raise RecipeError(f"{path}: {error}; put dates in quotes, and let no part contain itself") from None
    return tree


def _check_keys(node: yaml.Node | None, path: Path) -> None:
    """Raise RecipeError for the first key, such as a label `no`, that some reader takes for no text."""
    for line, where, key in find_keys_that_are_no_text(node) if node else ():
        raise RecipeError(
            f"{path}: {where} (line {line + 1}): this key is {describe_readings(key)}; "
            f"write '{key}': in quotes"
        )


def _follow(
    tree: dict[str, Any], path: Path, seen: tuple[Path, ...], home: Path, keys: set[str] | None
) -> dict[str, Any]:
    """Put other recipe files that one names in its place: the one that it extends, and those inside it."""
    if "extends" in tree:
        parent = _read_tree(path.parent / str(tree.pop("extends")), seen, home, keys)
        tree = _merge(_without(parent, tree.pop("replace", []), path), tree)

    def read(named: Any) -> Any:  # noqa: ANN401  (whatever stands in the file)
        return _read_tree(path.parent / named, seen, home) if isinstance(named, str) else named

    def read_rows(named: Any) -> Any:  # noqa: ANN401  (as above)
        """Leave out what leads back here: the recipe may start from this encoder."""
        return _read_tree(path.parent / named, (), home, ROWS) if isinstance(named, str) else named

    plan, base, data = (tree.get(key) for key in ("distillation", "base", "data"))
    if isinstance(plan, dict) and isinstance(plan.get("teachers"), list):
        tree["distillation"] = plan | {"teachers": [read(one) for one in plan["teachers"]]}
    if isinstance(base, dict) and "recipe" in base:
        tree["base"] = base | {"recipe": read(base["recipe"])}
    protect = data.get("protect") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(protect, dict) and isinstance(protect.get("recipes"), list):
        rows = [read_rows(one) for one in protect["recipes"]]
        tree["data"] = data | {"protect": protect | {"recipes": rows}}
    return tree


def _without(parent: dict[str, Any], keys: Any, path: Path) -> dict[str, Any]:  # noqa: ANN401  (as it is)
    """Return what is extended without the parts that `replace` names, such as `card.label_meanings`."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise RecipeError(f"{path}: replace: got {keys!r}; write keys, such as [labels, card.tones]")
    for key in keys:
        *sections, last = key.split(".")
        owner: Any = parent
        for name in sections:
            owner = owner.get(name) if isinstance(owner, dict) else None
        if not isinstance(owner, dict) or last not in owner:
            raise RecipeError(f"{path}: replace: the extended recipe has no {key!r}; leave it out")
        del owner[last]
    return parent


def _merge(parent: dict[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; anything else, lists too, is replaced."""
    merged = dict(parent)
    for key, value in child.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _explain(problem: Any, model: type[BaseModel]) -> str:  # noqa: ANN401  (ErrorDetails, a TypedDict)
    key = ".".join(str(part) for part in problem["loc"]) or "recipe"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        meant = suggest_key(model, problem["loc"])
        return (
            f"{key}: unknown key; {f'did you mean {meant}? ' if meant else ''}{PAGES[model]} lists all keys"
        )
    if problem["type"] in ("missing", "value_error"):
        return f"{key}: {message}"
    if problem["type"] == "string_type" and _is_scalar(problem["input"]):
        message += "; write it in quotes"
    return f"{key}: got {json.dumps(problem['input'], default=str)[:80]}; {message[0].lower()}{message[1:]}"


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float)


def dump_recipe(recipe: Recipe | Pretraining, folder: Path | None = None) -> str:
    """Return a recipe as YAML that is read back to an equal one, with nothing left to extend.

    With `folder`, the paths of its sources are as seen from there.
    """
    tree = recipe.model_dump(mode="json")
    if folder is not None and recipe.home is not None:
        tree = with_places_from(tree, recipe.home, folder)
    return _dump(tree)


def address_recipe(path: Path, model: str, space: str) -> str:
    """Return a release's recipe.yaml with other Hub ids and every other key as it is there.

    Reading and dumping it would bring an older one up to today's keys, so an unchanged release would look
    changed on the Hub.
    """
    return _dump(_read_mapping(path) | {"hub": {"model": model, "space": space}})


def _dump(tree: dict[str, Any]) -> str:
    return dump_yaml(tree, width=110)
