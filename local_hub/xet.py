"""Content-defined storage (Xet): xorbs and shards as clients send them, turned into verified files.

Formats: https://huggingface.co/docs/xet/index. Each repository keeps its own xorbs, and those of people who
only propose changes in stores of their own. Every hash is computed from the bytes before it becomes a name,
and what stands is never written again. The files themselves go to the common store under their sha256.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from local_hub.durable import write_atomically
from local_hub.errors import HubError, bad_request
from local_hub.objects import ObjectStore, Pointer
from local_hub.unfolding import allowance, check_unfolding
from local_hub.xet_formats import FileRecipe, Term, check_hash, nodes_of, read_chunks, unpack
from local_hub.xet_hashes import Node, file_hash, xorb_hash

MAX_SHARD_BYTES = 64 << 20
MAX_FILE_BYTES = 50 << 30


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
        nodes = nodes_of(uploaded)
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
        nodes = nodes_of(path) if path.exists() else []
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

    def check_files(self, recipes: list[FileRecipe]) -> None:
        """400 for terms that lie, 413 when the files unfold to far more than was ever sent here."""
        packed = sum(path.stat().st_size for path in self._kept("xorbs"))
        known = [self._objects.size(path.name) or 0 for path in self._kept("names")]
        check_unfolding(recipes, self._ends_of, budget=allowance(packed) - sum(known))

    def _kept(self, kind: str) -> Iterator[Path]:
        """The files of a kind, without those that another request is still writing: they begin with a dot."""
        return (self._folder / kind).glob("[!.]*")

    def _ends_of(self, xorb: str) -> list[int]:
        """Where each chunk of a xorb ends, unpacked."""
        path = self._path("xorbs", xorb)
        if not path.exists():
            raise bad_request(f"The shard names the xorb {xorb}, which was not uploaded.")
        return list(accumulate(chunk.length for chunk in read_chunks(path)))

    def keep_file(self, recipe: FileRecipe) -> Pointer:
        """Put the file together, check its hashes and store it.

        400 if a xorb is missing or a hash is wrong, 413 if there is no room for it.
        """
        if recipe.size > MAX_FILE_BYTES:
            raise HubError(413, f"A file of {recipe.size} bytes is over what this Hub can take.")
        found = file_hash([node for term in recipe.terms for node in self._term_nodes(term)])
        if found != recipe.hash:
            raise bad_request(f"The file {recipe.hash} is not what its name says: it hashes to {found}.")
        with self._objects.receive(recipe.size) as incoming:
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
                    yield unpack(chunk, file.read(chunk.packed))

    def reconstruction(
        self, recipe: FileRecipe, span: tuple[int, int], address: Callable[[str, int, int], str]
    ) -> dict[str, Any]:
        """Terms and byte ranges for the bytes `span` (end exclusive) of a file.

        `address` makes a URL for a xorb's bytes from one offset to another, both included.
        """
        terms: list[dict[str, Any]] = []
        fetches: dict[str, dict[tuple[int, int], dict[str, Any]]] = {}
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
            known = fetches.setdefault(term.xorb, {})
            if (term.start, term.end) not in known:
                first, last = chunks[0].offset, chunks[-1].end - 1
                known[term.start, term.end] = {
                    "range": numbers,
                    "url": address(term.xorb, first, last),
                    "url_range": {"start": first, "end": last},
                }
        wanted = {xorb: list(known.values()) for xorb, known in fetches.items()}
        return {"offset_into_first_range": offset, "terms": terms, "fetch_info": wanted}

    def temporary(self) -> Path:
        """A fresh path for an upload on its way in."""
        (self._folder / "xorbs").mkdir(parents=True, exist_ok=True)
        return self._objects.incoming / uuid.uuid4().hex
