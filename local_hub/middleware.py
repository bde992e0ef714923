"""What every request passes through: its address, its id, its quota, its log line, its last resort."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import uuid
from collections import deque
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_hub.cross_origin import HostCheck, check_origin, header_of, may_be_read_elsewhere
from local_hub.errors import HubError
from local_hub.names import RESERVED_NAMESPACES

log = logging.getLogger("local_hub")

_EXPOSED = (
    "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,"
    "Content-Length,Location,RateLimit,Retry-After,X-Linked-Etag,X-Linked-Size,X-Xet-Access-Token,"
    "X-Xet-Token-Expiration,X-Xet-Refresh-Route,X-Xet-Cas-Url,X-Xet-Hash"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9=;._-]{1,200}")
_LOG_LENGTH = 10_000
_SIGNED = re.compile(r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{43}")
_SECRET_NAMES = ("signature", "token", "password", "key")


def internal_path(raw: str) -> str:
    """The path that the routes know: undecoded, with the kind first where the web leaves it out.

    Undecoded, because `refs%2Fpr%2F1` is one revision and `refs/pr/1` would be three segments.
    """
    first, _, rest = raw.lstrip("/").partition("/")
    if not first or not rest or first in RESERVED_NAMESPACES:
        return raw
    return f"/models/{first}/{rest}"


def _without_signatures(query: str) -> str:
    """The query with `***` for values that would authorise whoever repeats them."""
    parts = []
    for part in query.split("&"):
        name, mark, value = part.partition("=")
        asked = unquote_plus(name).lower()
        secret = any(word in asked for word in _SECRET_NAMES) or _SIGNED.search(unquote_plus(value))
        parts.append(f"{name}{mark}***" if secret else part)
    return "&".join(parts)


class RequestLog:
    """The newest requests, for tests to read; nothing that opens anything enters it."""

    def __init__(self) -> None:
        self._lines: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._lock = threading.Lock()

    def add(self, scope: Scope, status: int) -> None:
        """Note a finished request; status 0 means that the connection was broken on purpose."""
        line = {
            "method": scope["method"],
            "path": _SIGNED.sub("***", scope.get("wire_path", scope["path"])),
            "query": _without_signatures(scope["query_string"].decode("latin-1")),
            "status": status,
            "authenticated": header_of(scope, b"authorization") is not None,
            "range": header_of(scope, b"range"),
            "user_agent": header_of(scope, b"user-agent"),
        }
        with self._lock:
            self._lines.append(line)

    def read(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """All lines, oldest first."""
        with self._lock:
            lines = list(self._lines)
            if clear:
                self._lines.clear()
        return lines


class RequestMiddleware:
    """The outermost layer: request id, CORS, log, and JSON without a stack trace for what nobody expected."""

    def __init__(self, app: ASGIApp, requests: RequestLog, hosts: HostCheck) -> None:
        self._app = app
        self._requests = requests
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header_of(scope, b"x-request-id") or header_of(scope, b"x-amzn-trace-id") or ""
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        scope = {**scope, "path": internal_path(raw), "wire_path": raw, "request_id": request_id}
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_common_headers(scope, message["headers"])]
            await send(message)

        started = time.monotonic()
        try:
            await self._serve(scope, receive, send_with_headers)
        except Exception:
            log.exception("request %s failed", request_id)
            if status == 0:
                await _answer_error(send_with_headers, HubError(500, "Internal error; see the server's log."))
        finally:
            self._requests.add(scope, status)
            seconds = time.monotonic() - started
            log.info("%s %s -> %d in %.3f s (%s)", scope["method"], raw, status, seconds, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._hosts.check(scope)
            check_origin(scope)
        except HubError as error:
            await _answer_error(send, error)
            return
        if scope["method"] == "OPTIONS":
            await _answer_preflight(send)
        else:
            await self._app(scope, receive, send)


def _common_headers(scope: Scope, present: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    common = {
        b"x-request-id": scope["request_id"].encode("latin-1"),
        b"x-powered-by": b"local-hub",
        b"access-control-expose-headers": _EXPOSED.encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"strict-origin-when-cross-origin",
    }
    if may_be_read_elsewhere(scope):
        common[b"access-control-allow-origin"] = b"*"
    else:
        common[b"cross-origin-resource-policy"] = b"same-origin"
    known = {key.lower() for key, _ in present}
    return [(key, value) for key, value in common.items() if key not in known]


async def _answer_preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-headers", b"authorization, content-type, range, accept, x-requested-with"),
        (b"access-control-max-age", b"86400"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _answer_error(send: Send, error: HubError) -> None:
    body = json.dumps(error.body()).encode()
    headers = [(key.lower().encode(), value.encode("latin-1")) for key, value in error.header_items().items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
