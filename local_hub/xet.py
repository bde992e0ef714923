"""Content-defined storage (Xet): xorbs and shards as clients send them, turned into verified files.

Formats: https://huggingface.co/docs/xet/index. Each repository keeps its own xorbs, and those of people who
only propose changes in stores of their own. Every hash is computed from the bytes before it becomes a name,
and what stands is never written again. The files themselves go to the common store under their sha256.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import lz4.frame

from local_hub.durable import write_atomically
from local_hub.errors import HubError, bad_request
from local_hub.objects import ObjectStore, Pointer
from local_hub.xet_hashes import Node, chunk_hash, file_hash, hash_text, xorb_hash

MAX_XORB_BYTES = 72 << 20
MAX_SHARD_BYTES = 64 << 20
MAX_FILE_BYTES = 50 << 30
_MAX_CHUNK_BYTES = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")
_SPARE_DISK = 256 << 20
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30
_RECORD = 48


@dataclass(frozen=True)
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
    """The files that a shard describes; 400 if it is cut off or inconsistent."""
    recipes, position = [], _RECORD
    try:
        while (raw := data[position : position + 32]) != b"\xff" * 32:
            flags, count = struct.unpack_from("<II", data, position + 32)
            position += _RECORD
            terms = tuple(_read_term(data, position + index * _RECORD) for index in range(count))
            position += count * _RECORD * (2 if flags & _WITH_VERIFICATION else 1)
            sha256 = None
            if flags & _WITH_METADATA:
                sha256 = hash_text(data[position : position + 32])
                position += _RECORD
            recipes.append(FileRecipe(hash_text(raw), terms, sha256))
    except struct.error:
        raise bad_request("The shard is cut off.") from None
    return recipes


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
    chunks, offset = [], 0
    with path.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            header = file.read(8)
            if header[0] != 0:  # another version, or the footer's magic
                break
            packed, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
            if length > _MAX_CHUNK_BYTES or offset + 8 + packed > size:
                raise bad_request("The xorb holds a chunk that is cut off or too large.")
            chunks.append(Chunk(offset, packed, header[4], length))
            offset += 8 + packed
    if not chunks:
        raise bad_request("The xorb holds no chunk.")
    return tuple(chunks)


def _unpack(chunk: Chunk, packed: bytes) -> bytes:
    """The chunk's bytes; decompression stops at the announced length, so a bomb cannot unfold."""
    if chunk.scheme == 0:
        data = packed
    elif chunk.scheme in (1, 2):
        try:
            data = lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=chunk.length + 1)
        except (RuntimeError, EOFError):
            raise bad_request("The xorb holds a chunk that cannot be decompressed.") from None
        data = _ungroup(data) if chunk.scheme == 2 else data
    else:
        raise bad_request(f"The xorb uses the unknown compression {chunk.scheme}.")
    if len(data) != chunk.length:
        raise bad_request("The xorb holds a chunk whose length is not the announced one.")
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


def _nodes_of(path: Path) -> list[Node]:
    """The hash and length of every chunk of a xorb file, computed from its bytes."""
    with path.open("rb") as file:
        nodes = []
        for chunk in read_chunks(path):
            file.seek(chunk.offset + 8)
            nodes.append((chunk_hash(_unpack(chunk, file.read(chunk.packed))), chunk.length))
    return nodes


@lru_cache(maxsize=64)
def _noted_nodes(marker: Path, inode: int) -> list[Node]:
    """What `XetStore` noted of a xorb: 32 bytes of hash and four of length for each chunk."""
    noted = marker.read_bytes()
    pieces = (noted[start : start + 36] for start in range(0, len(noted), 36))
    return [(piece[:32], int.from_bytes(piece[32:], "little")) for piece in pieces]


class XetStore:
    """The Xet side of one repository, inside its folder."""

    def __init__(self, folder: Path, objects: ObjectStore) -> None:
        self._folder = folder / "xet"
        self._objects = objects

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / kind / check_hash(name)

    def xorb_path(self, xorb: str) -> Path:
        """Where a xorb lies; 404 if it is not there."""
        path = self._path("xorbs", xorb)
        if not path.exists():
            raise HubError(404, f"There is no xorb {xorb}.")
        return path

    def keep_xorb(self, xorb: str, uploaded: Path) -> bool:
        """Take an uploaded xorb if its chunks hash to its name; False if it was there already."""
        path = self._path("xorbs", xorb)
        if self._nodes(xorb):
            return False
        nodes = _nodes_of(uploaded)
        if xorb_hash(nodes) != xorb:
            raise bad_request(f"The xorb is not what its name says: it hashes to {xorb_hash(nodes)}.")
        os.truncate(uploaded, read_chunks(uploaded)[-1].end)  # what follows the chunks is covered by no hash
        path.parent.mkdir(parents=True, exist_ok=True)
        uploaded.replace(path)
        self._note_nodes(xorb, nodes)
        return True

    def _note_nodes(self, xorb: str, nodes: list[Node]) -> None:
        marker = self._path("chunks", xorb)
        marker.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(marker, b"".join(raw + length.to_bytes(4, "little") for raw, length in nodes))

    def _nodes(self, xorb: str) -> list[Node] | None:
        """Hash and length of each chunk of a xorb that is here and is what its name says, else None.

        They are noted once they are known: a xorb without a note was kept before hashes were checked, or the
        server was killed in between.
        """
        marker, path = self._path("chunks", xorb), self._path("xorbs", xorb)
        if marker.exists():
            return _noted_nodes(marker, marker.stat().st_ino)
        nodes = _nodes_of(path) if path.exists() else []
        if not nodes or xorb_hash(nodes) != xorb:
            return None
        self._note_nodes(xorb, nodes)
        return nodes

    def hash_of(self, sha256: str) -> str | None:
        """The Xet hash of a file known by its sha256; None if it came another way."""
        path = self._path("names", sha256)
        return path.read_text(encoding="ascii") if path.exists() else None

    def recipe(self, name: str) -> FileRecipe:
        """How to reconstruct a file; 404 if it is unknown here."""
        path = self._path("recipes", name)
        if not path.exists():
            raise HubError(404, f"There is no file {name}.")
        stored = json.loads(path.read_bytes())
        return FileRecipe(name, tuple(Term(*term) for term in stored["terms"]), stored["sha256"])

    def keep_file(self, recipe: FileRecipe) -> Pointer:
        """Put the file together, check its hashes and store it.

        400 if a xorb is missing or a hash is wrong, 413 if there is no room for it.
        """
        free = shutil.disk_usage(self._objects.incoming).free - _SPARE_DISK
        if recipe.size > min(MAX_FILE_BYTES, free):
            raise HubError(413, f"A file of {recipe.size} bytes is over what this Hub can take.")
        found = file_hash([node for term in recipe.terms for node in self._term_nodes(term)])
        if found != recipe.hash:
            raise bad_request(f"The file {recipe.hash} is not what its name says: it hashes to {found}.")
        with self._objects.receive() as incoming:
            for piece in self._pieces(recipe):
                incoming.write(piece)
            pointer = incoming.keep(recipe.sha256 or incoming.digest(), recipe.size)
        self._note_file(recipe, pointer)
        return pointer

    def _note_file(self, recipe: FileRecipe, pointer: Pointer) -> None:
        """Write down how the file is put together, unless that is known: what stands is not overwritten."""
        terms = [[term.xorb, term.length, term.start, term.end] for term in recipe.terms]
        stored = json.dumps({"sha256": pointer.oid, "terms": terms})
        notes = {self._path("recipes", recipe.hash): stored, self._path("names", pointer.oid): recipe.hash}
        for path, text in notes.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                write_atomically(path, text.encode())

    def _term_nodes(self, term: Term) -> list[Node]:
        nodes = self._nodes(term.xorb)
        if nodes is None:
            raise bad_request(f"The shard names the xorb {term.xorb}, which was not uploaded.")
        run = nodes[term.start : term.end]
        if term.end > len(nodes) or sum(length for _, length in run) != term.length:
            raise bad_request(f"The shard names chunks of the xorb {term.xorb} that it does not have.")
        return run

    def _pieces(self, recipe: FileRecipe) -> Iterator[bytes]:
        for term in recipe.terms:
            path = self._path("xorbs", term.xorb)
            with path.open("rb") as file:
                for chunk in read_chunks(path)[term.start : term.end]:
                    file.seek(chunk.offset + 8)
                    yield _unpack(chunk, file.read(chunk.packed))

    def reconstruction(
        self, recipe: FileRecipe, span: tuple[int, int], address: Callable[[str, int, int], str]
    ) -> dict[str, Any]:
        """Terms and byte ranges for the bytes `span` (end exclusive) of a file.

        `address` makes a URL for a xorb's bytes from one offset to another, both included.
        """
        terms: list[dict[str, Any]] = []
        fetches: dict[str, list[dict[str, Any]]] = {}
        position, offset = 0, 0
        for term in recipe.terms:
            begin, position = position, position + term.length
            if position <= span[0] or begin >= span[1]:
                continue
            chunks = read_chunks(self.xorb_path(term.xorb))[term.start : term.end]
            if not terms:
                offset = span[0] - begin
            numbers = {"start": term.start, "end": term.end}
            terms.append({"hash": term.xorb, "unpacked_length": term.length, "range": numbers})
            first, last = chunks[0].offset, chunks[-1].end - 1
            fetch = {
                "range": numbers,
                "url": address(term.xorb, first, last),
                "url_range": {"start": first, "end": last},
            }
            known = fetches.setdefault(term.xorb, [])
            if fetch not in known:
                known.append(fetch)
        return {"offset_into_first_range": offset, "terms": terms, "fetch_info": fetches}

    def temporary(self) -> Path:
        """A fresh path for an upload on its way in."""
        (self._folder / "xorbs").mkdir(parents=True, exist_ok=True)
        return self._objects.incoming / uuid.uuid4().hex
