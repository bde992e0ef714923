"""Xorbs and shards by hand, so that a test can lie in any field."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import requests

from local_hub.xet_hashes import Node, chunk_hash, file_hash, xorb_hash
from tests.attacks.people import Person

END = b"\xff" * 32 + b"\0" * 16


def raw_hash(text: str) -> bytes:
    """The 32 bytes of a hash as Xet prints it."""
    return struct.pack("<4Q", *(int(text[start : start + 16], 16) for start in range(0, 64, 16)))


@dataclass(frozen=True)
class Xorb:
    """Chunks, stored without compression."""

    chunks: tuple[bytes, ...]

    @property
    def nodes(self) -> list[Node]:
        return [(chunk_hash(chunk), len(chunk)) for chunk in self.chunks]

    @property
    def name(self) -> str:
        return xorb_hash(self.nodes)

    @property
    def file_name(self) -> str:
        """The hash of the file that consists of just this xorb."""
        return file_hash(self.nodes)

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)

    def to_bytes(self) -> bytes:
        sizes = (len(chunk).to_bytes(3, "little") for chunk in self.chunks)
        return b"".join(b"\0" + n + b"\0" + n + c for n, c in zip(sizes, self.chunks, strict=True))


def shard(name: str, terms: list[tuple[str, int, int, int]], sha256: str | None = None) -> bytes:
    """One file: its hash, terms of xorb, length, first and end chunk, and what its sha256 is said to be."""
    flags = 1 << 30 if sha256 else 0
    parts = [b"\0" * 48, raw_hash(name) + struct.pack("<II8x", flags, len(terms))]
    parts += [
        raw_hash(xorb) + struct.pack("<4I", 0, length, start, end) for xorb, length, start, end in terms
    ]
    parts += [raw_hash(sha256) + b"\0" * 16] if sha256 else []
    return b"".join(parts) + END


@dataclass(frozen=True)
class Store:
    """A repository's Xet storage, as somebody's token opens it."""

    address: str
    token: str

    @staticmethod
    def of(person: Person, repo_id: str, scope: str = "write") -> Store:
        answer = person.get(f"/api/models/{repo_id}/xet-{scope}-token/main")
        assert answer.ok, answer.text
        return Store(answer.json()["casUrl"], answer.json()["accessToken"])

    def ask(self, method: str, path: str, body: bytes = b"") -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self.address}{path}", data=body, headers=headers, timeout=30)

    def send_xorb(self, xorb: Xorb, name: str | None = None) -> requests.Response:
        return self.ask("POST", f"/v1/xorbs/default/{name or xorb.name}", xorb.to_bytes())

    def send_file(self, xorb: Xorb, name: str | None = None) -> requests.Response:
        """Send the xorb and then a shard for the file that consists of it."""
        assert self.send_xorb(xorb).ok
        terms = [(xorb.name, len(xorb.content), 0, len(xorb.chunks))]
        return self.ask("POST", "/v1/shards", shard(name or xorb.file_name, terms))

    def reconstruct(self, name: str) -> requests.Response:
        return self.ask("GET", f"/v1/reconstructions/{name}")
