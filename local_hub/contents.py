"""What a repository's own files say of it, read so that none can break an answer; faults are reported."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from local_hub.card import split_card
from local_hub.card_yaml import parse_block
from local_hub.strict_json import read_json

_MAX_CONFIG_BYTES = 1 << 20
_MAX_HEADER_BYTES = 8 << 20
_MAX_DIMENSIONS, _MAX_ELEMENTS = 64, 2**63
_DTYPE = re.compile(r"[A-Z][A-Z0-9_]{0,19}")


@lru_cache(maxsize=32)  # a list reads the same files again and again
def read_config(content: bytes) -> dict[str, Any]:
    """config.json; ValueError says why it is none."""
    if len(content) > _MAX_CONFIG_BYTES:
        raise ValueError(f"{len(content)} bytes, read are {_MAX_CONFIG_BYTES}")
    config = read_json(content)
    if not isinstance(config, dict):
        raise ValueError(f"an object is needed, got {type(config).__name__}")
    return config


def read_card(content: bytes) -> dict[str, Any]:
    """The metadata of a README, empty without any; ValueError says why they cannot be read."""
    block, _ = split_card(content.decode("utf-8", "replace"))
    return {} if block is None else _parse(block)


@lru_cache(maxsize=128)  # by the block, which is short; a README may have megabytes
def _parse(block: str) -> dict[str, Any]:
    return parse_block(block)


@lru_cache(maxsize=256)  # by its address, which is the file's hash
def count_parameters(path: Path) -> dict[str, Any]:
    """Parameters by type and in total, from the header of a safetensors file; ValueError if it is broken."""
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= _MAX_HEADER_BYTES:
            raise ValueError(f"a header of {length} bytes, allowed are 2 to {_MAX_HEADER_BYTES}")
        header = read_json(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("the header is not an object")
    counts: dict[str, int] = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            dtype, elements = _measure(tensor)
            counts[dtype] = counts.get(dtype, 0) + elements
    total = sum(counts.values())
    if total >= _MAX_ELEMENTS:
        raise ValueError("more elements than any file can hold")
    return {"parameters": counts, "total": total}


def _measure(tensor: object) -> tuple[str, int]:
    """Type and number of elements of one tensor."""
    dtype, shape = (tensor.get("dtype"), tensor.get("shape")) if isinstance(tensor, dict) else (None, None)
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise ValueError("a tensor without a dtype")
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError("a tensor without a shape")
    elements = 1
    for dimension in shape:
        if type(dimension) is not int or not 0 <= dimension < _MAX_ELEMENTS:
            raise ValueError("a tensor with a shape that is not made of whole numbers")
        elements *= dimension
        if elements >= _MAX_ELEMENTS:
            raise ValueError("a tensor larger than any file can hold")
    return dtype, elements
