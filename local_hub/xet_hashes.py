"""The hashes of Xet: keyed BLAKE3 over chunks, and a Merkle tree over the chunks of a xorb or a file.

Published at https://huggingface.co/docs/xet/hashing. They are checked here because clients trust them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from blake3 import blake3

# Published constants: one key for chunks and one for inner nodes, so that neither can pass for the other.
_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_FILE_KEY = bytes(32)
_BRANCHES = 4
_EMPTY = bytes(32)

Node = tuple[bytes, int]
"""A hash of 32 bytes and the number of bytes that it stands for."""


def hash_text(raw: bytes) -> str:
    """Xet prints a hash as four little-endian numbers of 64 bits."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def chunk_hash(data: bytes) -> bytes:
    """The hash of a chunk's bytes, before compression."""
    return blake3(data, key=_CHUNK_KEY).digest()


def xorb_hash(chunks: Sequence[Node]) -> str:
    """The name of a xorb with these chunks."""
    return hash_text(_root(chunks))


def file_hash(chunks: Sequence[Node]) -> str:
    """The name of a file with these chunks; that of an empty file is all zeros."""
    return hash_text(blake3(_root(chunks), key=_FILE_KEY).digest() if chunks else _EMPTY)


def _root(nodes: Sequence[Node]) -> bytes:
    while len(nodes) > 1:
        nodes = [_parent(group) for group in _groups(nodes)]
    return nodes[0][0] if nodes else _EMPTY


def _groups(nodes: Sequence[Node]) -> Iterator[Sequence[Node]]:
    start = 0
    while start < len(nodes):
        end = start + _group_length(nodes, start)
        yield nodes[start:end]
        start = end


def _group_length(nodes: Sequence[Node], start: int) -> int:
    """Three to nine nodes: a group ends where the last word of a hash is divisible by four."""
    longest = min(2 * _BRANCHES + 1, len(nodes) - start)
    for length in range(3, longest + 1):
        if nodes[start + length - 1][0][24] % _BRANCHES == 0:
            return length
    return longest


def _parent(group: Sequence[Node]) -> Node:
    text = "".join(f"{hash_text(raw)} : {size}\n" for raw, size in group)
    return blake3(text.encode(), key=_NODE_KEY).digest(), sum(size for _, size in group)
