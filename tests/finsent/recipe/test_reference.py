from __future__ import annotations

import json
from typing import Any

from finsent.recipe.reference import PAGE, reference_page
from finsent.recipe.schema import recipe_schema


def test_the_page_in_the_repository_is_the_code_s() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run make generated"


def test_every_key_is_there_and_says_what_it_is() -> None:
    schema = json.loads(recipe_schema())
    sections: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    page = reference_page()
    for section in sections:
        for key, node in section["properties"].items():
            assert node.get("description"), f"{section['title']}.{key} says nothing"
            assert f"| `{key}` |" in page, f"{section['title']}.{key}"


def test_a_row_says_type_limits_and_default() -> None:
    rows = reference_page().splitlines()
    assert (
        "| `max_characters` | whole number from 16 | `500` | keeps every text below the position limit |"
        in rows
    )
    assert any(row.startswith("| `name` | `fp32`, ") and "| required |" in row for row in rows)
