"""JSON as every client can read it again: no NaN, no half characters, no endless numbers or nesting."""

from __future__ import annotations

import json
import math
from typing import Any

_MAX_DEPTH = 64
_MAX_DIGITS = 20


def read_json(content: bytes) -> Any:  # noqa: ANN401  (any JSON)
    """The value of a JSON text; ValueError says what is wrong with it."""
    text = content.decode("utf-8-sig")
    try:
        value = json.loads(text, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except RecursionError:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels") from None
    _check_depth(value)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be encoded
    return value


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= _MAX_DIGITS else 1 << 64
    if not -(2**63) <= value < 2**64:
        raise ValueError(f"the number {digits[:20]}… is over 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is infinite")
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
