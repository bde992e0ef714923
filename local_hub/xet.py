"""Content-defined storage (Xet): xorbs and shards as clients send them, turned into verified files.

Formats: https://huggingface.co/docs/xet/index. Each repository keeps its own xorbs, so that nobody can poison
or read those of another; the files themselves go to the common store under their sha256.
"""

from __future__ import annotations

import json
import re
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import lz4.frame

from local_hub.durable import write_atomically
from local_hub.errors import HubError, bad_request
from local_hub.objects import ObjectStore, Pointer
from local_hub.unfolding import FileRecipe, Term, allowance, check_unfolding

MAX_XORB_BYTES = 72 << 20
MAX_SHARD_BYTES = 64 << 20
MAX_FILE_BYTES = 50 << 30
_MAX_CHUNKS = 8 << 10  # of a xorb, by the format
_MAX_CHUNK_BYTES = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30
_RECORD = 48


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


def _hash_text(raw: bytes) -> str:
    """Xet prints a hash as four little-endian numbers of 64 bits."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


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
                sha256 = _hash_text(data[position : position + 32])
                position += _RECORD
            recipes.append(FileRecipe(_hash_text(raw), terms, sha256))
    except struct.error:
        raise bad_request("The shard is cut off.") from None
    return recipes


def _read_term(data: bytes, position: int) -> Term:
    _, length, start, end = struct.unpack_from("<4I", data, position + 32)
    if start >= end:
        raise bad_request("The shard names an empty run of chunks.")
    return Term(_hash_text(data[position : position + 32]), length, start, end)


@lru_cache(maxsize=64)
def read_chunks(path: Path) -> tuple[Chunk, ...]:
    """The chunks of a xorb; what follows them (a footer) is left aside. 400 for sizes beyond all bounds.

    Kept for a while: a xorb never changes, and a file names the same one again and again.
    """
    chunks: list[Chunk] = []
    offset, size, unpacked = 0, path.stat().st_size, 0
    with path.open("rb") as file:
        while offset + 8 <= size:
            file.seek(offset)
            header = file.read(8)
            if header[0] != 0:  # another version, or the footer's magic
                break
            packed, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
            if length > _MAX_CHUNK_BYTES or offset + 8 + packed > size:
                raise bad_request("The xorb holds a chunk that is cut off or too large.")
            unpacked += length
            if len(chunks) >= _MAX_CHUNKS or unpacked > MAX_XORB_BYTES:
                raise bad_request(f"A xorb holds {_MAX_CHUNKS} chunks and {MAX_XORB_BYTES} bytes at most.")
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
        """Take an uploaded xorb after a look at its structure; False if it was there already."""
        path = self._path("xorbs", xorb)
        if path.exists():
            return False
        read_chunks(uploaded)
        path.parent.mkdir(parents=True, exist_ok=True)
        uploaded.replace(path)
        return True

    def hash_of(self, sha256: str) -> str | None:
        """The Xet hash of a file known by its sha256; None if it came another way."""
        path = self._folder / "sha256" / sha256
        return path.read_text(encoding="ascii") if path.exists() else None

    def recipe(self, file_hash: str) -> FileRecipe:
        """How to reconstruct a file; 404 if it is unknown here."""
        path = self._path("files", file_hash)
        if not path.exists():
            raise HubError(404, f"There is no file {file_hash}.")
        stored = json.loads(path.read_bytes())
        return FileRecipe(file_hash, tuple(Term(*term) for term in stored["terms"]), stored["sha256"])

    def check_files(self, recipes: list[FileRecipe]) -> None:
        """400 for terms that lie, 413 when the files unfold to far more than was ever sent here."""
        packed = sum(path.stat().st_size for path in (self._folder / "xorbs").glob("*"))
        known = [self._objects.size(path.name) or 0 for path in (self._folder / "sha256").glob("*")]
        check_unfolding(recipes, self._ends_of, budget=allowance(packed) - sum(known))

    def _ends_of(self, xorb: str) -> list[int]:
        """Where each chunk of a xorb ends, unpacked."""
        path = self._path("xorbs", xorb)
        if not path.exists():
            raise bad_request(f"The shard names the xorb {xorb}, which was not uploaded.")
        return list(accumulate(chunk.length for chunk in read_chunks(path)))

    def keep_file(self, recipe: FileRecipe) -> Pointer:
        """Put the file together, check its sha256 and store it; 400 if a xorb is missing or it is wrong."""
        if recipe.size > MAX_FILE_BYTES:
            raise HubError(413, f"A file of {recipe.size} bytes is over what this Hub can take.")
        with self._objects.receive(recipe.size) as incoming:
            for piece in self._pieces(recipe):
                incoming.write(piece)
            pointer = incoming.keep(recipe.sha256 or incoming.digest(), recipe.size)
        stored = {
            "sha256": pointer.oid,
            "terms": [[term.xorb, term.length, term.start, term.end] for term in recipe.terms],
        }
        for kind in ("files", "sha256"):
            (self._folder / kind).mkdir(parents=True, exist_ok=True)
        write_atomically(self._path("files", recipe.hash), json.dumps(stored).encode())
        write_atomically(self._path("sha256", pointer.oid), recipe.hash.encode())
        return pointer

    def _pieces(self, recipe: FileRecipe) -> Iterator[bytes]:
        for term in recipe.terms:
            path = self._path("xorbs", term.xorb)
            if not path.exists():
                raise bad_request(f"The shard names the xorb {term.xorb}, which was not uploaded.")
            with path.open("rb") as file:
                for chunk in read_chunks(path)[term.start : term.end]:
                    file.seek(chunk.offset + 8)
                    yield _unpack(chunk, file.read(chunk.packed))

    def reconstruction(self, recipe: FileRecipe, span: tuple[int, int], url: str) -> dict[str, Any]:
        """Terms and byte ranges for the bytes `span` (end exclusive) of a file; `url` holds `{xorb}`."""
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
            fetch = {
                "range": numbers,
                "url": url.format(xorb=term.xorb),
                "url_range": {"start": chunks[0].offset, "end": chunks[-1].end - 1},
            }
            known = fetches.setdefault(term.xorb, [])
            if fetch not in known:
                known.append(fetch)
        return {"offset_into_first_range": offset, "terms": terms, "fetch_info": fetches}

    def temporary(self) -> Path:
        """A fresh path for an upload on its way in."""
        (self._folder / "xorbs").mkdir(parents=True, exist_ok=True)
        return self._objects.incoming / uuid.uuid4().hex
