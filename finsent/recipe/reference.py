"""The pages of every key of a recipe, from its schema. `python -m finsent.recipe.reference` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from finsent import REPOSITORY
from finsent.recipe.known_keys import OF_A_FILE
from finsent.recipe.schema import pretraining_schema, recipe_schema

PRETRAINING_PAGE = REPOSITORY / "docs" / "pretraining-keys.md"
PAGE = REPOSITORY / "docs" / "recipe-keys.md"
TEACHERS = "teachers"  # recipes themselves: not shown again inside a recipe
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
INTRODUCTION = """# Every key of a recipe

This page is generated from [recipes/schema.json](../recipes/schema.json), which also makes an editor
complete and check the keys. [Recipes](recipes.md) shows how to use them. An unknown key is an
error, and so is a value of the wrong type: nothing is converted silently.
"""
PRETRAINING_INTRODUCTION = """# Every key of a pretraining

This page is generated from [recipes/encoders/schema.json](../recipes/encoders/schema.json).
[Pretraining](pretraining.md) shows how to use them.
"""

Node = dict[str, Any]


def reference_page() -> str:
    """Return the page as Markdown: a section of the recipe a heading, a key a row."""
    return _page(INTRODUCTION, recipe_schema())


def pretraining_page() -> str:
    """Return the page of the keys of a pretraining."""
    return _page(PRETRAINING_INTRODUCTION, pretraining_schema())


def _page(introduction: str, told: str) -> str:
    schema = json.loads(told)
    parts = [_section("", "The recipe itself", schema)]
    parts += [
        _section(path, f"`{path}`{kind}", node) for path, kind, node in _walk("", schema, schema["$defs"])
    ]
    return "\n".join([introduction, *parts])


def _walk(path: str, node: Node, sections: Node) -> Iterator[tuple[str, str, Node]]:
    """Yield path, kind and schema of every section below `node`, in the order of the keys."""
    for key, value in node["properties"].items():
        for name in [] if key == TEACHERS else _referred(value):
            here = f"{path}.{key}" if path else key
            section = sections[name]
            yield here, _kind(section), section
            yield from _walk(here, section, sections)


def _referred(node: Node) -> list[str]:
    """Return the names of the sections that a key's value may be."""
    if "$ref" in node:
        return [node["$ref"].rpartition("/")[2]]
    inner = [*node.get("anyOf", []), *node.get("oneOf", []), *([node["items"]] if "items" in node else [])]
    return [name for one in inner for name in _referred(one)]


def _kind(section: Node) -> str:
    kind = section["properties"].get("kind", {}).get("const")
    return f" of kind `{kind}`" if kind else ""


def _section(path: str, heading: str, section: Node) -> str:
    keys = sorted(section["properties"].items(), key=lambda entry: entry[0] != "kind")
    rows = [_row(key, node, key not in OF_A_FILE and "default" not in node) for key, node in keys]
    told = section["description"] if path else "These keys are at the top level of the file."
    table = "\n".join(["| Key | Value | Default | What it says |", "| --- | --- | --- | --- |", *rows])
    return f"## {heading}\n\n{told}\n\n{table}\n"


def _row(key: str, node: Node, required: bool) -> str:
    default = "required" if required else _default(node)
    return f"| `{key}` | {_value(node)} | {default} | {_cell(node['description'])} |"


def _default(node: Node) -> str:
    default = node.get("default")
    if default is None or default in ([], {}) or _referred(node):
        return ""
    return f"`{json.dumps(default)}`"


def _value(node: Node) -> str:
    """Return what a key takes, in words."""
    if _referred(node):
        return "a list of these sections" if "items" in node else "a section"
    if "anyOf" in node:
        return " or ".join(_value(one) for one in node["anyOf"] if one.get("type") != "null")
    if choices := node.get("enum", [node["const"]] if "const" in node else []):
        return ", ".join(f"`{choice}`" for choice in choices)
    if "prefixItems" in node:
        return f"pairs of {_value(node['prefixItems'][0])}s"
    if node.get("type") == "array":
        return f"list of {_value(node['items'])}"
    if node.get("type") == "object":
        return "mapping"
    if isinstance(node.get("type"), list):
        return "a file's name or a recipe"
    return WORDS[node["type"]] + _limits(node)


def _limits(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    told = [
        f"from {low:,}" if low is not None else f"above {above:,}" if above is not None else "",
        f"to {high:,}" if high is not None else f"below {below:,}" if below is not None else "",
    ]
    return "".join(f" {word}" for word in told if word)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("->", "→").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(reference_page(), encoding="utf-8")
    PRETRAINING_PAGE.write_text(pretraining_page(), encoding="utf-8")
