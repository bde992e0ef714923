"""The JSON schemas of recipe files, for editors. `python -m finsent.recipe.schema` writes them."""

from __future__ import annotations

import json
from typing import Any

from finsent import REPOSITORY
from finsent.recipe.pretraining import Pretraining
from finsent.recipe.recipe import Recipe

SCHEMA_FILE = REPOSITORY / "recipes" / "schema.json"
PRETRAINING_SCHEMA_FILE = REPOSITORY / "recipes" / "encoders" / "schema.json"
ANOTHER = {"type": ["string", "object"]}  # a recipe's file, or the recipe
Node = dict[str, Any]


def recipe_schema() -> str:
    """Return the JSON schema of a recipe file, `extends` included."""
    parts = Recipe.model_json_schema()["$defs"]
    schema = {"$defs": parts, **parts.pop("Recipe")}  # it holds itself, by way of its teachers
    parts["Distillation"]["properties"]["teachers"]["items"] = ANOTHER
    encoder = parts["Base"]["properties"]["recipe"]
    encoder.pop("anyOf")
    encoder |= ANOTHER
    return _write(schema)


def pretraining_schema() -> str:
    """Return the JSON schema of a recipe of a pretraining."""
    schema = Pretraining.model_json_schema()
    schema["$defs"]["Protection"]["properties"]["recipes"]["items"] = ANOTHER
    return _write(schema)


def _write(schema: Node) -> str:
    """Return a schema with the keys that only files have, and without sections that nothing refers to."""
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "recipe to start from; the keys here override its keys",
    }
    schema["properties"]["replace"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "keys, such as card.tones, to replace in the extended recipe instead of merging them",
    }
    schema.pop("required")  # a recipe that extends another may leave out anything
    parts = schema.pop("$defs")
    used = _find_used(schema, parts, set())
    return (
        json.dumps({"$defs": {name: parts[name] for name in parts if name in used}, **schema}, indent=1)
        + "\n"
    )


def _find_used(node: Any, parts: Node, used: set[str]) -> set[str]:  # noqa: ANN401  (any part of a schema)
    """Return the names of the sections that a part of a schema refers to, by way of others too."""
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _find_used(value, parts, used)
    if isinstance(node, dict) and (name := str(node.get("$ref", "")).rpartition("/")[2]) and name not in used:
        used.add(name)
        _find_used(parts[name], parts, used)
    return used


if __name__ == "__main__":
    SCHEMA_FILE.write_text(recipe_schema(), encoding="utf-8")
    PRETRAINING_SCHEMA_FILE.write_text(pretraining_schema(), encoding="utf-8")
