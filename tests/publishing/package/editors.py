"""A card, and what other editors make of its bytes when they save it."""

from __future__ import annotations

from collections.abc import Callable

FRONT = "license: mit\ntags:\n- old\nthumbnail: x.png\n"
BODY = "# T\n\nTheir words.\n\n<!-- finsent:begin a -->\nold\n<!-- finsent:end a -->\n"
THEIRS = f"---\n{FRONT}---\n\n{BODY}"
EDITORS: dict[str, Callable[[str], bytes]] = {
    "as it was": lambda text: text.encode(),
    "a byte-order mark": lambda text: text.encode("utf-8-sig"),
    "two of them": lambda text: ("\ufeff\ufeff" + text).encode(),
    "Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "Windows twice": lambda text: text.replace("\n", "\r\r\n").encode(),
    "an old Mac": lambda text: text.replace("\n", "\r").encode(),
    "one line of Windows": lambda text: text.replace("Their words.\n", "Their words.\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "blanks behind the rules": lambda text: text.replace("---\n", "---  \t\n").encode(),
    "blank lines first": lambda text: ("\n\n" + text).encode(),
    "tabs for blanks": lambda text: text.replace("x.png", "\tx.png").replace("- old", "\t- old").encode(),
    "a second block": lambda text: text.replace(FRONT, f"{FRONT}---\n\ufeff---\nlicense: gpl-3.0\n").encode(),
    "a second block of Windows": lambda text: f"---\r\nthumbnail: x.png\r\n---\r\n\r\n{text}".encode(
        "utf-8-sig"
    ),
}
