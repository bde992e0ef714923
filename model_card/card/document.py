"""A card taken apart without losing its line numbers: metadata, body, code blocks, prose, regions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The Hub's own expression (huggingface_hub, repocard.py) in parts that are each searched once: as a whole,
# \A(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---[ \t]*(\r\n|\n|$)), it takes cubic time on empty lines.
_OPENING = re.compile(r"\s*---[\r\n]+")
_CLOSING = re.compile(r"(?<=[\r\n])---[ \t]*(?:\r\n|\n|\Z)")
_REGION = re.compile(r"<!-- finsent:(begin|end) ([a-z][a-z-]*) -->")
_TICKS = re.compile(r"`+")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_NOT_LINE_END = re.compile(r"[^\n]")
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
    opening = _OPENING.match(text)
    if opening is None:
        return Document(text, None, 1, text)
    start = opening.end()
    closing = _CLOSING.search(text, start + 1)
    if closing is None and len(opening[0].rpartition("---")[2]) > 1:
        # Nothing but line ends between the two marks: the last of them belongs to the second.
        closing, start = _CLOSING.match(text, start), start - 1
    if closing is None:
        return Document(text, None, 1, text)
    blank = "\n" * text[: closing.end()].count("\n")
    front = text[start : closing.start()].rstrip("\r\n")
    return Document(text, front, text[:start].count("\n") + 1, blank + text[closing.end() :])


@lru_cache(maxsize=4)
def markdown_blocks(body: str) -> tuple[Token, ...]:
    """Return a body's headings, fences, paragraphs and the like as Markdown reads them.

    Kept for a while, because every rule asks anew; what stands inside a line is not looked at.
    """
    return tuple(MarkdownIt("commonmark").disable("inline").parse(body))


def code_blocks(body: str) -> list[CodeBlock]:
    """Return the fenced blocks of a body, in order."""
    lines = body.split("\n")
    blocks = []
    for token in markdown_blocks(body):
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
    for token in markdown_blocks(body):
        if token.type in ("fence", "code_block") and token.map is not None:
            for index in range(*token.map):
                lines[index] = ""
    return "\n".join(lines)


def prose(body: str) -> str:
    """Return the body with code, comments, tags and addresses blanked; lines and columns stay."""
    text = _without(_code_spans, without_blocks(body))
    text = _without(_comments, text)
    for pattern in (_LINK_TARGET, _ADDRESS, _TAG):
        text = pattern.sub(_blank, text)
    return text


def _without(find: Callable[[str], Iterator[tuple[int, int]]], text: str) -> str:
    pieces, done = [], 0
    for start, end in find(text):
        pieces += [text[done:start], _NOT_LINE_END.sub(" ", text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])


def _comments(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start + 4)) >= 0:
        end = close + 3
        yield start, end


def _code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every span: backticks up to the next run as long, in one paragraph."""
    done = 0
    for end in [match.start() for match in _PARAGRAPH_END.finditer(text)] + [len(text)]:
        runs = [match.span() for match in _TICKS.finditer(text, done, end)]
        later: dict[int, list[tuple[int, int]]] = {}
        for run in reversed(runs):
            later.setdefault(run[1] - run[0], []).append(run)
        closed = done
        for start, stop in runs:
            same = later[stop - start]
            same.pop()
            if same and start >= closed and text[start - 1 : start] != "\\":
                closed = same[-1][1]
                yield start, closed
        done = end


def _blank(match: re.Match[str]) -> str:
    return _NOT_LINE_END.sub(" ", match[0])


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
        elif begins.get(name, line) < line:  # marks of one line have no lines between them
            found.setdefault(name, (begins[name] + 1, line - 1))
    return found
