"""How clients write Xet: shards that say what files are made of, xorbs that hold packed chunks.

Both are published at https://huggingface.co/docs/xet/index; nothing in them is believed unseen.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import lz4.frame

from local_hub.errors import bad_request
from local_hub.xet_hashes import Node, chunk_hash, hash_text

MAX_XORB_BYTES = 72 << 20
_MAX_CHUNKS = 8 << 10  # of a xorb, by the format
_MAX_CHUNK_BYTES = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30
_RECORD = 48
# As many files as a commit may have. A term is a run of chunks that are 64 KiB on average, some more so that
# short files need no rule of their own: clients keep runs long, and every reader is told all terms.
_MAX_FILES, _FREE_TERMS, _TERM_BYTES = 25_000, 1000, 64 << 10


@dataclass(frozen=True, slots=True)
class Term:
    """A run of chunks `start` to `end` (exclusive) of a xorb; `length` in bytes when unpacked."""

    xorb: str
    length: int
    start: int
    end: int


@dataclass(frozen=True)
class FileRecipe:
    """How a file is put together; `sha256` is None when the client did not say it."""

    hash: str
    terms: tuple[Term, ...]
    sha256: str | None

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return sum(term.length for term in self.terms)


@dataclass(frozen=True)
class Chunk:
    """Where a chunk lies in its xorb file: header at `offset`, `packed` bytes after it, `length` unpacked."""

    offset: int
    packed: int
    scheme: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after the chunk."""
        return self.offset + 8 + self.packed


def check_hash(text: str) -> str:
    """Return a Xet hash of 64 hexadecimal digits, else raise 400; it becomes part of a path."""
    if not _HASH.fullmatch(text):
        raise bad_request("Invalid Xet hash: 64 lower-case hexadecimal digits are needed.")
    return text


def read_shard(data: bytes) -> list[FileRecipe]:
    """The files that a shard describes, each once; 400 if it is cut off, inconsistent or holds too many."""
    recipes, position = list[FileRecipe](), _RECORD
    try:
        while (raw := data[position : position + 32]) != b"\xff" * 32:
            flags, count = struct.unpack_from("<II", data, position + 32)
            position += _RECORD
            terms = _read_terms(data, position, count)
            position += count * _RECORD * (2 if flags & _WITH_VERIFICATION else 1)
            sha256 = None
            if flags & _WITH_METADATA:
                sha256 = hash_text(data[position : position + 32])
                position += _RECORD
            recipes.append(FileRecipe(hash_text(raw), terms, sha256))
            if len(recipes) > _MAX_FILES:
                raise bad_request(f"A shard may describe {_MAX_FILES} files; send more than one.")
    except struct.error:
        raise bad_request("The shard is cut off.") from None
    return list(dict.fromkeys(recipes))


def _read_terms(data: bytes, position: int, count: int) -> tuple[Term, ...]:
    """Terms of one file; 400 for more of them than a file of that size is made of."""
    terms, size = list[Term](), 0
    for index in range(count):
        terms.append(_read_term(data, position + index * _RECORD))
        size += terms[-1].length
        if len(terms) > _FREE_TERMS + size // _TERM_BYTES:
            raise bad_request("The shard cuts a file into more runs of chunks than any client makes.")
    return tuple(terms)


def _read_term(data: bytes, position: int) -> Term:
    _, length, start, end = struct.unpack_from("<4I", data, position + 32)
    if start >= end:
        raise bad_request("The shard names an empty run of chunks.")
    return Term(hash_text(data[position : position + 32]), length, start, end)


def read_chunks(path: Path) -> tuple[Chunk, ...]:
    """The chunks of a xorb; what follows them (a footer) is left aside. 400 for sizes beyond all bounds."""
    found = path.stat()
    return _chunks_of(path, found.st_size, (found.st_ino, found.st_mtime_ns))


@lru_cache(maxsize=64)
def _chunks_of(path: Path, size: int, stamp: tuple[int, int]) -> tuple[Chunk, ...]:
    """Kept for a while: a file names the same xorb again and again; the stamp tells it from a later one."""
    chunks: list[Chunk] = []
    offset = unpacked = 0
    with path.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            header = file.read(8)
            if header[0] != 0:  # another version, or the footer's magic
                break
            packed, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
            if length > _MAX_CHUNK_BYTES or offset + 8 + packed > size:
                raise bad_request("The xorb contains a chunk that is cut off or too large.")
            unpacked += length
            if len(chunks) >= _MAX_CHUNKS or unpacked > MAX_XORB_BYTES:
                raise bad_request(
                    f"A xorb can contain {_MAX_CHUNKS} chunks and {MAX_XORB_BYTES} bytes at most."
                )
            chunks.append(Chunk(offset, packed, header[4], length))
            offset += 8 + packed
    if not chunks:
        raise bad_request("The xorb contains no chunk.")
    return tuple(chunks)


def unpack(chunk: Chunk, packed: bytes) -> bytes:
    """The chunk's bytes; decompression stops at the announced length, so a bomb cannot unfold."""
    if chunk.scheme == 0:
        data = packed
    elif chunk.scheme in (1, 2):
        try:
            data = lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=chunk.length + 1)
        except (RuntimeError, EOFError):
            raise bad_request("The xorb contains a chunk that cannot be decompressed.") from None
        data = _ungroup(data) if chunk.scheme == 2 else data
    else:
        raise bad_request(f"The xorb uses the unknown compression {chunk.scheme}.")
    if len(data) != chunk.length:
        raise bad_request("The xorb contains a chunk whose length is not the announced one.")
    return data


def _ungroup(data: bytes) -> bytes:
    """Undo byte grouping by four: first all bytes at positions 0 mod 4, then 1 mod 4, and so on."""
    whole, rest = divmod(len(data), 4)
    result, start = bytearray(len(data)), 0
    for group in range(4):
        length = whole + (group < rest)
        result[group::4] = data[start : start + length]
        start += length
    return bytes(result)


def nodes_of(path: Path) -> list[Node]:
    """The hash and length of every chunk of a xorb file, computed from its bytes."""
    with path.open("rb") as file:
        nodes = []
        for chunk in read_chunks(path):
            file.seek(chunk.offset + 8)
            nodes.append((chunk_hash(unpack(chunk, file.read(chunk.packed))), chunk.length))
    return nodes
