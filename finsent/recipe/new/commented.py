"""YAML with a comment above a key: the keys are dumped as everywhere, the comments put between the lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from finsent.yaml_dialects import dump_yaml

WIDTH = 100


def dump_commented(tree: dict[str, Any], comments: dict[str, str]) -> str:
    """Return a tree as YAML; `comments` are by path, such as `data.sources.0.delimiter`."""
    lines = dump_yaml(tree, width=WIDTH).splitlines()
    marks = dict(find_keys("\n".join(lines)))
    if unknown := comments.keys() - marks.keys():
        raise KeyError(f"no such key to comment on: {sorted(unknown)}")
    for path, (line, column) in sorted(marks.items(), key=lambda item: -item[1][0]):
        lines[line:line] = _comment(comments[path], column) if path in comments else []
        if isinstance(tree.get(path), dict):
            lines.insert(line, "")  # before every section
    return "\n".join(lines) + "\n"


def find_keys(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the path of every key in YAML, with line and column, both from 0."""
    node = yaml.compose(text, yaml.SafeLoader)
    yield from _below(node, "") if node else ()


def _below(node: yaml.Node, path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _below(child, f"{path}{index}.")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield f"{path}{key.value}", (key.start_mark.line, key.start_mark.column)
            yield from _below(value, f"{path}{key.value}.")


def _comment(text: str, column: int) -> list[str]:
    start = " " * column + "# "
    wrapped = textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False
    )
    return [*wrapped] or [start.rstrip()]
