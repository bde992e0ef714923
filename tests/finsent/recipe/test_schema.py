from __future__ import annotations

from finsent.recipe.schema import SCHEMA_FILE, recipe_schema


def test_the_schema_in_the_repository_is_the_code_s() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == recipe_schema()
