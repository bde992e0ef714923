"""What every request passes through: id, token, size and time of its body, counting, a line of log."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.limits import Limits, RequestError
from serving.metrics import ServerMetrics

log = logging.getLogger("serving")

OPEN_ROUTES = {"/health"}  # a load balancer has no token
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Border:
    """The outermost layer of the server. `token` None lets everybody in."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: ServerMetrics, token: str | None) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics
        self._token = token.encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever breaks inside is one line of log and a 500 that says nothing of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = self._request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            try:
                self._check_token(scope["path"], headers)
                body = await self._read_body(headers, receive)
                await self._app(scope, _replay(body, receive), send_with_id)
            except RequestError as error:
                await _refuse(error, request_id, scope, receive, send_with_id)
            except Exception:
                log.exception("failed", extra={"fields": {"request_id": request_id}})
                if not status:
                    failure = RequestError(500, "internal", "the server failed; its log has this request id")
                    await _refuse(failure, request_id, scope, receive, send_with_id)
        except ClientGone:
            status = 499
        self._account(scope, status, request_id, time.perf_counter() - started)

    def _request_id(self, headers: Headers) -> str:
        given = headers.get("x-request-id", "")
        return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

    def _check_token(self, path: str, headers: Headers) -> None:
        if self._token is None or path in OPEN_ROUTES:
            return
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise RequestError(
                401, "unauthorized", "the token is missing or wrong; send 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes:
        """Return the whole body; RequestError when it is too large or comes too slowly."""
        most = self._limits.body_bytes
        announced = headers.get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > most:
            raise _too_large(int(announced), most)
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    pieces.append(message.get("body", b""))
                    size += len(pieces[-1])
                    if size > most:
                        raise _too_large(size, most)
                    if not message.get("more_body"):
                        return b"".join(pieces)
        except TimeoutError:
            seconds = self._limits.body_seconds
            message_text = f"the body did not arrive within {seconds:g} seconds; send it at once"
            raise RequestError(408, "timeout", message_text, {"Connection": "close"}) from None

    def _account(self, scope: Scope, status: int, request_id: str, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        line = {"request_id": request_id, "method": scope["method"], "route": route, "status": status}
        log.info("answered", extra={"fields": {**line, "seconds": round(seconds, 5)}})


class ClientGone(Exception):
    """The client hung up before its request was whole."""


def _too_large(size: int, most: int) -> RequestError:
    return RequestError(
        413, "body_too_large", f"got a body of {size} bytes, allowed are {most}; send fewer texts at a time",
        {"Connection": "close"},
    )  # fmt: skip


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body which was read already."""
    pending = [body]

    async def read() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return read


async def _refuse(error: RequestError, request_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    response = JSONResponse(error.body(request_id), error.status, headers=error.headers)
    await response(scope, receive, send)
