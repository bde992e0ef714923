"""Who is signed in on the pages: a cookie that reads, on one server, while its token is valid."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from fastapi import Request, Response

from local_hub.accounts import Accounts, Viewer
from local_hub.cross_origin import is_own_page
from local_hub.signing import Signer

_SECONDS = 12 * 3600


class Sessions:
    """Signed cookies. Browsers send them to every port of a host, so name and claim hold the port."""

    def __init__(self, signer: Signer, accounts: Accounts, port: int) -> None:
        self.cookie = f"local_hub_session_{port}"
        self._signer, self._port = signer, port
        # A mark of the token, not its digest: the cookie must be no help in guessing the token.
        self._viewers = {signer.mark("session", digest): viewer for digest, viewer in accounts.digests()}
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, answer: Response, digest: bytes, *, secure: bool) -> None:
        """Sign the holder of a token in."""
        mark = self._signer.mark("session", digest)
        claim = {"port": self._port, "token": mark, "id": secrets.token_hex(8)}
        session = self._signer.sign("session", claim, seconds=_SECONDS)
        options: dict[str, Any] = {"httponly": True, "samesite": "strict", "secure": secure}
        answer.set_cookie(self.cookie, session, _SECONDS, **options)

    def viewer(self, request: Request) -> Viewer | None:
        """Who is signed in: only to read, only for this Hub's own pages, only while the token is valid."""
        claim = self._claim(request)
        known = self._viewers.get(claim["token"]) if claim and is_own_page(request.scope) else None
        return Viewer(known.name, "read") if known else None

    def _claim(self, request: Request) -> dict[str, Any] | None:
        claim = self._signer.read("session", request.cookies.get(self.cookie, ""))
        if claim is None or claim.get("port") != self._port:
            return None
        with self._lock:
            return None if claim["id"] in self._ended else claim

    def end(self, request: Request, answer: Response) -> None:
        """Sign out: a copy of the cookie opens nothing any more."""
        claim = self._claim(request)
        with self._lock:
            now = time.time()
            self._ended = {key: expires for key, expires in self._ended.items() if expires > now}
            if claim:
                self._ended[claim["id"]] = claim["exp"]
        answer.delete_cookie(self.cookie, httponly=True, samesite="strict")
