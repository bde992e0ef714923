"""The blocks of code in what is written about serving, by who runs them."""

from __future__ import annotations

import re

from finsent import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
UNTRIED = "not tried"
CONTAINER = ("Container", "Registry")


def sections(text: str) -> dict[str, str]:
    """Return the sections of a page by their headings of the second level."""
    parts = re.split(r"(?m)^## (.+)\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fenced(text: str, *languages: str) -> list[str]:
    return [
        code for language, code in re.findall(r"(?ms)^```(\w*)\n(.*?)^```", text) if language in languages
    ]


def container_blocks() -> list[str]:
    """Return the commands of the page that need podman."""
    return [block for name in CONTAINER for block in fenced(sections(DOCUMENT)[name], "bash")]
