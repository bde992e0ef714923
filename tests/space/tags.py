"""What the demo may put into a page."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"quoted\" & $x$"
ALLOWED = {
    *("a", "b", "caption", "code", "div", "h1", "h3", "label", "li", "p", "pre", "progress", "small", "span"),
    *("sub", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.tags <= ALLOWED
    assert not any(name.startswith("on") or name in ("src", "srcdoc") for name in tags.attributes)
    return tags
