"""A card taken apart without losing its line numbers: metadata, body, code blocks, prose, regions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

# The Hub's own expression (huggingface_hub, repocard.py): whitespace may stand before it, nothing else may.
_FRONT = re.compile(r"\A(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---[ \t]*(\r\n|\n|$))")
_REGION = re.compile(r"<!-- finsent:(begin|end) ([a-z][a-z-]*) -->")
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)((?:(?!\n[ \t]*\n)[\s\S])+?)(?<!`)\1(?!`)")
_COMMENT = re.compile(r"<!--[\s\S]*?-->")
_LINK_TARGET = re.compile(r"(?<=\])\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)")
_ADDRESS = re.compile(r"<?https?://[^\s>)|]+>?")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>")


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block; `line` is that of its opening fence, `language` the first word behind that."""

    line: int
    language: str
    code: str
    closed: bool


@dataclass(frozen=True)
class Document:
    """A card. `front` is None without metadata; `body` has blank lines where that stands."""

    text: str
    front: str | None
    front_line: int
    body: str

    @property
    def body_line(self) -> int:
        """Return the number of the first line after the metadata."""
        return self.body[: len(self.body) - len(self.body.lstrip("\n"))].count("\n") + 1


def split_card(text: str) -> Document:
    """Take a card apart as the Hub does."""
    match = _FRONT.match(text)
    if match is None:
        return Document(text, None, 1, text)
    blank = "\n" * text[: match.end()].count("\n")
    return Document(text, match[2], match[1].count("\n") + 1, blank + text[match.end() :])


def code_blocks(body: str) -> list[CodeBlock]:
    """Return the fenced blocks of a body, in order."""
    lines = body.split("\n")
    blocks = []
    for token in MarkdownIt("commonmark").parse(body):
        if token.type != "fence" or token.map is None:
            continue
        last = lines[token.map[1] - 1].strip() if token.map[1] - 1 > token.map[0] else ""
        closed = last.startswith(token.markup) and set(last) == {token.markup[0]}
        words = token.info.split()
        blocks.append(CodeBlock(token.map[0] + 1, words[0].lower() if words else "", token.content, closed))
    return blocks


def without_blocks(body: str) -> str:
    """Return the body with every fenced block blanked; lines and columns stay."""
    lines = body.split("\n")
    for token in MarkdownIt("commonmark").parse(body):
        if token.type in ("fence", "code_block") and token.map is not None:
            for index in range(*token.map):
                lines[index] = ""
    return "\n".join(lines)


def prose(body: str) -> str:
    """Return the body with code, comments, tags and addresses blanked; lines and columns stay."""
    text = without_blocks(body)
    for pattern in (_CODE_SPAN, _COMMENT, _LINK_TARGET, _ADDRESS, _TAG):
        text = pattern.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def region_marks(body: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, `begin` or `end`, and name of every region mark."""
    for number, line in enumerate(without_blocks(body).split("\n"), start=1):
        for match in _REGION.finditer(line):
            yield number, match[1], match[2]


def regions(body: str) -> dict[str, tuple[int, int]]:
    """Return name -> first and last line between the marks of each region; the first of a name counts."""
    found: dict[str, tuple[int, int]] = {}
    begins: dict[str, int] = {}
    for line, mark, name in region_marks(body):
        if mark == "begin":
            begins.setdefault(name, line)
        elif name in begins:
            found.setdefault(name, (begins[name] + 1, line - 1))
    return found
