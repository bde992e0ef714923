"""The JSON schema of recipe files, for editors. `python -m finsent.recipe.schema` writes it."""

from __future__ import annotations

import json

from finsent import REPOSITORY
from finsent.recipe.recipe import Recipe

SCHEMA_FILE = REPOSITORY / "recipes" / "schema.json"


def recipe_schema() -> str:
    """Return the JSON schema of a recipe file, `extends` included."""
    parts = Recipe.model_json_schema()["$defs"]
    schema = {"$defs": parts, **parts.pop("Recipe")}  # it holds itself, by way of its teachers
    parts["Distillation"]["properties"]["teachers"]["items"] = {"type": ["string", "object"]}
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
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(recipe_schema(), encoding="utf-8")
