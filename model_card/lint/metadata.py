"""Rules for the metadata of a card: where the block stands, what YAML makes of it, what the Hub takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from finsent.yaml_dialects import find_ambiguities, read_hub_yaml
from model_card.card.document import Document, without_blocks
from model_card.lint.metadata_schema import CardMetadata
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics

KeyPath = tuple[str | int, ...]

# A block of its own, or keys that only lack their first line.
_SECOND = re.compile(
    r"^---[ \t]*\n[a-z][\w-]*:(?:[ \t].*)?\n(?:[^\n-].*\n|- .*\n)*?---[ \t]*$"
    r"|^[a-z][\w-]*:(?:[ \t].*)?\n---[ \t]*$",
    re.MULTILINE,
)
_TYPE = "tag:yaml.org,2002:"


def lint_metadata(document: Document, metrics: Metrics | None) -> Iterator[Problem]:
    """Yield what is wrong with the metadata block of a model's card."""
    problems = list(lint_block(document))
    yield from problems
    node = _compose(document)
    if isinstance(node, yaml.MappingNode) and not any(one.rule == "yaml-tag" for one in problems):
        yield from _check_values(document, node, metrics)


def lint_block(document: Document) -> Iterator[Problem]:
    """Yield what no card's metadata may have: another place, two blocks, values that readers differ on."""
    yield from _check_start(document)
    yield from _check_second_block(document)
    node = _compose(document)
    if isinstance(node, Problem):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for token in yaml.scan(document.front or ""):
            if isinstance(token, yaml.AliasToken):
                line = document.front_line + token.start_mark.line
                yield Problem(line, "yaml", "an alias, which the Hub does not allow; write out the value")
        yield from _check_nodes(node, document)
    elif document.front is not None:
        yield Problem(document.front_line, "metadata", "must be a mapping of keys such as 'license: mit'")


def _compose(document: Document) -> yaml.Node | Problem | None:
    """Return the metadata as YAML nodes, what is wrong where they are no YAML, None if there are none."""
    if document.front is None:
        return None
    try:
        return yaml.compose(document.front, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = document.front_line + (mark.line if mark else 0)
        return Problem(line, "yaml", f"{error.problem}; put the value in quotes")
    except yaml.YAMLError as error:  # a character that YAML does not have
        return Problem(document.front_line, "yaml", " ".join(str(error).split())[:200])


def _check_start(document: Document) -> Iterator[Problem]:
    text = document.text
    if text.startswith("\ufeff"):
        yield Problem(1, "start", "a byte order mark precedes the metadata; save as UTF-8 without it")
    elif document.front is None and re.search(r"^---[ \t]*$", text, re.MULTILINE):
        yield Problem(1, "start", "the metadata must begin with '---' at the first byte, and end with '---'")
    elif document.front is None:
        yield Problem(
            1, "metadata", "there is no metadata; the card must begin with a YAML block between two '---'"
        )
    elif not text.startswith("---"):
        yield Problem(
            1, "start", "there is white space before the first '---'; it must start at the first byte"
        )
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        yield Problem(line, "start", "the file has Windows or old Mac line ends; save with plain line feeds")


def _check_second_block(document: Document) -> Iterator[Problem]:
    """The Hub reads one block; of a second one it makes a rule and a heading."""
    if document.front is None:
        return
    body = without_blocks(document.body)
    for match in _SECOND.finditer(body):
        line = body.count("\n", 0, match.start()) + 1
        yield Problem(
            line,
            "second-block",
            "a second metadata block, which is shown as a heading; merge it into the first",
        )


def _check_nodes(node: yaml.Node, document: Document) -> Iterator[Problem]:
    """Yield scalars that YAML reads as something else than they look like, tags and repeated keys."""
    line = document.front_line + node.start_mark.line
    if not node.tag.startswith(_TYPE) or "python" in node.tag:
        yield Problem(line, "yaml-tag", f"the tag {node.tag!r} is refused; write a plain value")
    if isinstance(node, yaml.ScalarNode):
        if message := _pitfall(node):
            yield Problem(line, "yaml-value", message)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _check_nodes(child, document)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                at = document.front_line + key.start_mark.line
                yield Problem(at, "yaml", f"the key {key.value!r} appears here a second time; keep one")
            seen.add(str(key.value))
            yield from _check_nodes(key, document)
            yield from _check_nodes(value, document)


def _pitfall(node: yaml.ScalarNode) -> str | None:
    if node.style is not None:
        return None
    kind, text = node.tag.removeprefix(_TYPE), str(node.value)
    if kind == "bool" and text.lower() not in ("true", "false"):
        return f"{text} is read as {text.lower() in ('yes', 'on')}; write '{text}' in quotes"
    if kind in ("int", "float") and ":" in text:
        return f"{text} is read as a base-60 number; write '{text}' in quotes"
    if kind == "int" and re.fullmatch(r"[-+]?0[0-7_]+", text):
        return f"{text} is read as an octal number; write '{text}' in quotes"
    if kind == "timestamp":
        return f"{text} is read as a date; write '{text}' in quotes"
    if differing := next(find_ambiguities(node), None):
        return str(differing)
    tail = node.end_mark.buffer[node.end_mark.pointer :].split("\n", 1)[0] if node.end_mark.buffer else ""
    if text and re.match(r"[ \t]+#", tail):
        return "the rest of the line is a comment and is lost; put the value in quotes"
    return None


def _check_values(document: Document, node: yaml.MappingNode, metrics: Metrics | None) -> Iterator[Problem]:
    lines = dict(_lines(node, (), document.front_line))
    tree = read_metadata(document)
    try:
        CardMetadata.model_validate(tree)
    except ValidationError as error:
        for found in error.errors():
            path = tuple(found["loc"])
            message = found["msg"].removeprefix("Value error, ")
            where = ".".join(str(part) for part in path)
            yield Problem(_nearest(lines, path), _rule(path), f"{where}: {message}")
    if tree.get("license") == "other" and "license_name" not in tree:
        yield Problem(lines["license",], "license", "license: other needs license_name and license_link")
    if metrics is not None and tree.get("license") not in (None, metrics.licence):
        message = f"is {tree['license']!r}, but the sources require {metrics.licence!r}"
        yield Problem(lines["license",], "license", message)
    if "model_name" in tree:
        message = "model_name is not a Hub key; it belongs in model-index"
        yield Problem(lines["model_name",], "metadata", message)


def _lines(node: yaml.Node, path: KeyPath, first: int) -> Iterator[tuple[KeyPath, int]]:
    """Yield path -> line of every value below a node."""
    yield path, first + node.start_mark.line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            for below, line in _lines(value, (*path, str(key.value)), first):
                same = below == (*path, str(key.value))
                yield below, first + key.start_mark.line if same else line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, index), first)


def _nearest(lines: dict[KeyPath, int], path: KeyPath) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _rule(path: KeyPath) -> str:
    key = str(path[0]) if path else "metadata"
    return key if key in ("license", "widget", "model-index", "language") else "metadata"


def read_metadata(document: Document) -> dict[str, Any]:
    """Return the metadata of a card, an empty dict when it is missing or broken."""
    try:
        tree = read_hub_yaml(document.front or "")
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}
