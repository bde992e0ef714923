"""The metadata of a card, read as the real Hub's js-yaml reads it, within bounds.

That is YAML 1.2 with some of 1.1 (https://github.com/nodeca/js-yaml/tree/master/lib/type): `yes` and `12:30`
are text, `1e3` and `0o17` are numbers. Dates stay text, as they are written.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

_MAX_BLOCK_CHARACTERS = 200_000
_MAX_DEPTH = 64
_MAX_NUMBER_CHARACTERS = 40
_TYPE = "tag:yaml.org,2002:"
_BASES = {"0b": 2, "0o": 8, "0x": 16}
_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "merge": r"<<",
    "int": r"[-+]?(?:0b[01_]*[01]|0o[0-7_]*[0-7]|0x[0-9a-fA-F_]*[0-9a-fA-F]|[0-9](?:[0-9_]*[0-9])?)",
    "float": r"(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))(?<!_)",
}


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012  (as PyYAML has it)
        None: [(f"{_TYPE}{kind}", re.compile(rf"(?:{pattern})\Z")) for kind, pattern in _SCALARS.items()]
    }


def _number(loader: _Loader, node: yaml.ScalarNode) -> float:
    if len(node.value) > _MAX_NUMBER_CHARACTERS:
        raise ValueError(
            f"the number {node.value[:20]}… has {len(node.value)} characters, "
            f"allowed are {_MAX_NUMBER_CHARACTERS}; write it as text, in quotes"
        )
    if node.tag.endswith(":float"):
        return float(loader.construct_yaml_float(node))
    digits = str(node.value).replace("_", "").lower()
    value = int(digits, _BASES.get(digits.lstrip("+-")[:2], 10))  # a leading zero says nothing
    if not -(2**63) <= value < 2**64:
        raise ValueError(f"the number {value} is over 64 bits; write it as text, in quotes")
    return value


_Loader.add_constructor(f"{_TYPE}int", _number)
_Loader.add_constructor(f"{_TYPE}float", _number)


def _check_shape(block: str) -> None:
    """ValueError for aliases, by which a small block unfolds into a huge one, and for deep nesting."""
    depth = 0
    for event in yaml.parse(block, yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not allowed in the metadata")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"the metadata is nested deeper than {_MAX_DEPTH} levels")


def parse_block(block: str) -> dict[str, Any]:
    """The metadata as a mapping; ValueError with the YAML parser's complaint."""
    if len(block) > _MAX_BLOCK_CHARACTERS:
        raise ValueError(
            f"the metadata block has {len(block)} characters, allowed are {_MAX_BLOCK_CHARACTERS}"
        )
    try:
        _check_shape(block)
        data = yaml.load(block, _Loader)
    except Exception as error:  # PyYAML raises half a dozen unrelated types for values under a wrong tag
        raise ValueError(" ".join(str(error).split())[:500]) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValueError(f"the metadata must be a mapping, got {type(data).__name__}")
    cleaned: dict[str, Any] = _json_safe(data)
    return cleaned


def _json_safe(value: Any) -> Any:  # noqa: ANN401  (anything that YAML can hold)
    """The value as JSON can say it: YAML also knows nan, bytes, sets and keys that are no strings."""
    if isinstance(value, dict):
        return {_json_safe(str(key)): _json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_json_safe(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value if isinstance(value, int | float | bool) or value is None else str(value)
