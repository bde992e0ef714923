"""Rules for the text of a card: what Markdown, the Hub or a reader would stumble over."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import yaml

from model_card.card.document import (
    CodeBlock,
    Document,
    code_blocks,
    markdown_blocks,
    prose,
    region_marks,
    without_blocks,
)
from model_card.lint.problem import Problem

_PLACEHOLDERS = (
    re.compile(r"\[YOUR[_ -][^\]\n]*\]", re.IGNORECASE),
    re.compile(r"<YOUR[_ -][^>\n]*>", re.IGNORECASE),
    re.compile(r"more information needed", re.IGNORECASE),
    re.compile(r"\{\{[^}\n]*\}\}|\{%[^%\n]*%\}"),
    re.compile(r"lorem ipsum", re.IGNORECASE),
)
_NOTES = re.compile(r"\b(TODO|FIXME|TBD|XXX)\b")  # may stand in a quoted text, so only prose is searched
_EMPTY_VALUE = re.compile(r"(?<=\|)[ \t]*(None|nan|NaN|undefined|null)[ \t]*(?=\|)")
_DELIMITER = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")


def lint_body(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the body."""
    text = prose(document.body)
    yield from _check_dollars(text)
    yield from _check_placeholders(document, text)
    yield from _check_headings(document)
    yield from _check_tables(document)
    yield from _check_regions(document)
    for block in code_blocks(document.body):
        yield from _check_code(block)


def _check_dollars(text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), start=1):
        if match := re.search(r"(?<!\\)\$\S*", line):
            yield Problem(
                number, "dollar", f"{match[0]!r} may be rendered as mathematics; put it in a code span"
            )


def _check_placeholders(document: Document, text: str) -> Iterator[Problem]:
    for pattern in _PLACEHOLDERS:
        yield from _found(pattern, document.text)
    for pattern in (_NOTES, _EMPTY_VALUE):
        yield from _found(pattern, text)


def _found(pattern: re.Pattern[str], text: str) -> Iterator[Problem]:
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Problem(line, "placeholder", f"{match[0].strip()!r} is still a placeholder")


def _check_headings(document: Document) -> Iterator[Problem]:
    previous = 0
    titles = 0
    for token in markdown_blocks(document.body):
        if token.type != "heading_open" or token.map is None:
            continue
        level, line = int(token.tag[1]), token.map[0] + 1
        titles += level == 1
        if previous == 0 and level != 1:
            yield Problem(line, "heading", f"the first heading is of level {level}; begin with '# title'")
        elif level > previous + 1:
            yield Problem(line, "heading", f"level {level} follows level {previous}; do not skip a level")
        if level == 1 and titles == 2:
            yield Problem(line, "heading", "a second title; a card may have only one heading of level 1")
        previous = level
    if previous == 0:
        yield Problem(document.body_line, "heading", "there is no title; begin the text with '# title'")


def _check_tables(document: Document) -> Iterator[Problem]:
    lines = without_blocks(document.body).split("\n")
    for index, line in enumerate(lines):
        if index and _DELIMITER.match(line) and "|" in line and "|" in lines[index - 1]:
            yield from _check_table(lines, index)


def _check_table(lines: list[str], delimiter: int) -> Iterator[Problem]:
    columns = _columns(lines[delimiter])
    if _columns(lines[delimiter - 1]) != columns:
        message = f"the header has {_columns(lines[delimiter - 1])} cells, the line below {columns}"
        yield Problem(delimiter, "table", message)
    for index in range(delimiter + 1, len(lines)):
        if not lines[index].strip() or "|" not in lines[index]:
            return
        found = _columns(lines[index])
        if found != columns:
            message = f"{found} cells under {columns} columns; write \\| for a bar in a cell"
            yield Problem(index + 1, "table", message)


def _columns(line: str) -> int:
    """Count cells as GitHub's Markdown does: a bar parts cells even in a code span, unless escaped."""
    inner = line.strip().removeprefix("|")
    inner = re.sub(r"(?<!\\)\|$", "", inner)
    return len(re.findall(r"(?<!\\)\|", inner)) + 1


def _check_regions(document: Document) -> Iterator[Problem]:
    open_name, open_line, seen = "", 0, set()
    for line, mark, name in region_marks(document.body):
        if mark == "begin":
            if open_name:
                yield Problem(open_line, "region", f"{open_name} is not closed before {name} begins")
            if name in seen:
                yield Problem(line, "region", f"{name} appears here a second time")
            seen.add(name)
            open_name, open_line = name, line
        elif name != open_name:
            yield Problem(line, "region", f"{name} is closed but was never opened")
        else:
            open_name = ""
    if open_name:
        yield Problem(open_line, "region", f"{open_name} is never closed")


def _check_code(block: CodeBlock) -> Iterator[Problem]:
    if not block.closed:
        yield Problem(block.line, "code", "the block is never closed")
    if (found := syntax_error(block)) is not None:
        line, message = found
        yield Problem(block.line + line, "code", f"{block.language}: {message}")


def syntax_error(block: CodeBlock) -> tuple[int, str] | None:
    """Return line in the block and complaint of a Python, JSON or YAML block that cannot be parsed."""
    try:
        if block.language in ("python", "py"):
            ast.parse(block.code)
        elif block.language == "json":
            json.loads(block.code)
        elif block.language in ("yaml", "yml"):
            yaml.safe_load(block.code)
    except (SyntaxError, json.JSONDecodeError) as error:
        return (error.lineno or 1), error.msg
    except yaml.MarkedYAMLError as error:
        return (error.problem_mark.line + 1 if error.problem_mark else 1), str(error.problem)
    except (ValueError, yaml.YAMLError) as error:
        return 1, str(error)
    return None
