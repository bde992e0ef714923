"""Look for links of our own pages that lead nowhere: `python docs/links.py`, offline.

Every Markdown file under git is read; a link to a file must find it, and one to a heading must find that too.
Addresses of the web are not asked.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).resolve().parent.parent
HTML_PICTURE = re.compile(r'<img [^>]*?src="([^"]+)"')
WEB = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def find_broken(page: Path) -> Iterator[str]:
    """Yield a sentence for every link of a page that leads nowhere."""
    for line, address in _addresses(page):
        path, _, anchor = unquote(address).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{page}:{line}: {address}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{page}:{line}: {address}: {target.name} has no such heading"


@cache
def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub and the Hub call them."""
    found: dict[str, int] = {}
    for heading, inline in pairwise(_parse(page)):
        if heading.type == "heading_open":
            name = re.sub(r"[^\w\- ]", "", _plain(inline).lower()).replace(" ", "-")
            found[name] = found.get(name, -1) + 1
    return {
        f"{name}-{number}" if number else name for name, last in found.items() for number in range(last + 1)
    }


def _addresses(page: Path) -> Iterator[tuple[int, str]]:
    """Yield line and address of every link and picture that is not of the web."""
    for block in _parse(page):
        for token in block.children or []:
            in_html = HTML_PICTURE.match(token.content) if token.type == "html_inline" else None
            address = in_html[1] if in_html else str(token.attrGet("href") or token.attrGet("src") or "")
            if address and not WEB.match(address):
                yield (block.map or [0])[0] + 1, address


def _plain(inline: Token) -> str:
    return "".join(token.content for token in inline.children or [])


@cache
def _parse(page: Path) -> list[Token]:
    text = page.read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(_without_metadata(text))


def _without_metadata(text: str) -> str:
    """Blank the YAML block at the top of a card, so that the lines keep their numbers."""
    block = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
    return "\n" * block[0].count("\n") + text[block.end() :] if block else text


def own_pages() -> list[Path]:
    """Return all Markdown files under git; a card that tests compare has links of its own repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.md", ":!tests"], cwd=REPOSITORY, capture_output=True, check=True
    )
    return [REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]


if __name__ == "__main__":
    broken = [sentence for page in own_pages() for sentence in find_broken(page)]
    print("\n".join(broken), file=sys.stderr)
    sys.exit(bool(broken))
