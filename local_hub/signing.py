"""Signed, expiring claims: addresses that authorise themselves, Xet tokens, the pages' session cookie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any

from local_hub.durable import write_atomically


class Signer:
    """Signs small JSON claims with a key that stays in the Hub's root."""

    def __init__(self, key_file: Path) -> None:
        if not key_file.exists():
            write_atomically(key_file, secrets.token_bytes(32), mode=0o600)
        self._key = key_file.read_bytes()

    def _mac(self, purpose: str, payload: bytes) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + payload, hashlib.sha256).digest()

    def sign(self, purpose: str, claim: dict[str, Any], *, seconds: int = 3600) -> str:
        """A URL-safe token that proves the claim for that purpose until it expires."""
        payload = json.dumps({**claim, "exp": int(time.time()) + seconds}, separators=(",", ":")).encode()
        parts = (payload, self._mac(purpose, payload))
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def mark(self, purpose: str, secret: bytes) -> str:
        """A name for a secret that tells nothing about it."""
        return self._mac(f"mark {purpose}", secret).hex()

    def read(self, purpose: str, token: str) -> dict[str, Any] | None:
        """The claim, or None when the token is forged, expired or meant for something else."""
        try:
            payload, mac = (
                base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
            )
        except ValueError:
            return None
        if not hmac.compare_digest(mac, self._mac(purpose, payload)):
            return None
        claim: dict[str, Any] = json.loads(payload)
        return claim if claim["exp"] > time.time() else None
