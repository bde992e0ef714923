"""A README as HTML that cannot run anything: rendered, then reduced to harmless tags and addresses."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlsplit

import nh3
from markdown_it import MarkdownIt

_TAGS = set(nh3.ALLOWED_TAGS) - {"map", "area"} | {"details", "summary"}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "th": {"align", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
    "details": {"open"},
    "ol": {"start"},
    "p": {"align"},
    "div": {"align"},
    "h1": {"align"},
}
_MAX_CHARACTERS = 500_000


@lru_cache(maxsize=16)  # half a megabyte can take seconds, and a README is read more often than it changes
def render_markdown(text: str, *, page: str, revision: str = "main") -> str:
    """Safe HTML of a Markdown text; relative addresses lead to the repository's files at the revision.

    `page` is the repository's web path without slashes at the ends.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    files = f"/{page}/resolve/{quote(revision, safe='')}/"

    def adapt(tag: str, attribute: str, value: str) -> str | None:
        if attribute not in ("href", "src"):
            return value
        parts = urlsplit(value)
        if tag == "img" and (parts.scheme or parts.netloc):
            return None  # an image from elsewhere would tell that server who reads this
        relative = not parts.scheme and not parts.netloc and not value.startswith(("/", "#", "\\"))
        return files + value.removeprefix("./") if relative else value

    return nh3.clean(
        parser.render(text[:_MAX_CHARACTERS]),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=adapt,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
