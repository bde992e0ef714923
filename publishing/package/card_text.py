"""The text of a card whatever editor saved it: one kind of line end, its metadata in one block."""

from __future__ import annotations

import re
from typing import Any

import yaml

from finsent.yaml_dialects import read_hub_yaml

BYTE_ORDER_MARK = "\ufeff"
# As the Hub finds it, but with blanks behind the first line, which an editor may have left there.
_BLOCK = re.compile(r"[\s\ufeff]*---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"[a-z][\w-]*")


def decode_card(content: bytes) -> str:
    """Return the text of a card, evened; ValueError if it is neither UTF-8 nor marked UTF-16."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    return even_text(content.decode(encoding))


def even_text(text: str) -> str:
    """Return text with line feeds alone, one at its end, and without a byte-order mark."""
    evened = re.sub(r"\r*\n|\r", "\n", text.lstrip(BYTE_ORDER_MARK))
    return evened if evened.endswith("\n") or not evened else evened + "\n"


def take_metadata(text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata of an evened card and its body; of several blocks the first one's keys count.

    Raises ValueError: the first block is not YAML that the Hub could read.
    """
    found: dict[str, Any] = {}
    first, end = True, 0
    while match := _BLOCK.match(text, end):
        try:
            tree = _read_block(match[1] or "")
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            if first:
                raise ValueError(" ".join(str(error).split())[:200]) from None
            break
        if not isinstance(tree, dict) or not all(_KEY.fullmatch(str(key)) for key in tree):
            break  # a rule, words, and a rule
        found, end, first = tree | found, match.end(), False
    return found, text[end:].lstrip(BYTE_ORDER_MARK).lstrip("\n")


def _read_block(front: str) -> Any:  # noqa: ANN401  (whatever is there)
    """Read a block; YAML has no tabs for blanks, but some editors do."""
    try:
        return read_hub_yaml(front) or {}
    except (yaml.YAMLError, ValueError):
        if "\t" not in front:
            raise
    return read_hub_yaml(front.expandtabs(2)) or {}
