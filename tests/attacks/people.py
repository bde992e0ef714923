"""Somebody who speaks to a Hub by bare HTTP, so that a test can send what no client would."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import requests


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pointer(content: bytes) -> bytes:
    """The git-lfs pointer to that content."""
    oid = sha256(content)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


def regular(path: str, content: bytes) -> dict[str, Any]:
    """The operation that adds a file to git itself."""
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


def large(path: str, content: bytes) -> dict[str, Any]:
    """The operation that makes an uploaded object a file."""
    value = {"path": path, "algo": "sha256", "oid": sha256(content), "size": len(content)}
    return {"key": "lfsFile", "value": value}


@dataclass(frozen=True)
class Person:
    """One who holds this token, or none."""

    endpoint: str
    token: str | None

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        url = path if path.startswith("http") else f"{self.endpoint}{path}"
        return requests.request(method, url, headers=headers, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.ask("POST", path, **options)

    def commit(self, repo: str, *operations: dict[str, Any], pr: bool = False) -> requests.Response:
        """Commit to a model's main branch (or propose it)."""
        lines = [{"key": "header", "value": {"summary": "change"}}, *operations]
        body = "\n".join(json.dumps(line) for line in lines)
        return self.post(f"/api/models/{repo}/commit/main{'?create_pr=1' if pr else ''}", data=body)

    def batch(self, repo: str, content: bytes, operation: str) -> requests.Response:
        """Ask the LFS batch for one object."""
        wanted = {"operation": operation, "objects": [{"oid": sha256(content), "size": len(content)}]}
        return self.post(f"/{repo}.git/info/lfs/objects/batch", json=wanted)

    def send(self, repo: str, content: bytes) -> requests.Response:
        """Upload an object by LFS."""
        answer = self.batch(repo, content, "upload").json()["objects"][0]
        return requests.put(answer["actions"]["upload"]["href"], data=content, timeout=30)

    def publish(self, repo: str, path: str, content: bytes) -> str:
        """Upload an object and commit it; its commit."""
        assert self.send(repo, content).ok
        answer = self.commit(repo, large(path, content))
        assert answer.ok, answer.text
        return str(answer.json()["commitOid"])

    def git_url(self, repo: str) -> str:
        return f"{self.endpoint}/{repo}".replace("http://", f"http://x:{self.token}@")
