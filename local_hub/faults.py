"""Failures on order, for tests of clients: what the real Hub does on a bad day, exactly when it is wanted."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Any

from anyio import sleep
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Fault(BaseModel):
    """One failure: which requests it meets, how often, and what happens to them.

    `after` lets the request do its work first, so that the client sees a failure of something that succeeded.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = ".*"
    path: str = ".*"
    status: int | None = Field(default=None, ge=400, le=599)
    headers: dict[str, str] = {}
    body: str | None = None
    n: int = Field(default=1, ge=1)
    after: bool = False
    reset: bool = False
    delay: float = Field(default=0.0, ge=0, le=600)
    skip: int = Field(default=0, ge=0)

    @field_validator("method", "path")
    @classmethod
    def _is_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    def meets(self, scope: Scope) -> bool:
        """Whether the request is one of those."""
        query = scope["query_string"].decode("latin-1")
        address = scope["wire_path"] + (f"?{query}" if query else "")
        method = re.fullmatch(self.method, scope["method"], re.IGNORECASE)
        return bool(method and re.search(self.path, address))


@dataclass
class _Armed:
    fault: Fault
    skip: int
    left: int


class FaultPlan:
    """The failures that are still to happen, in the order they were asked for."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def replace(self, faults: list[Fault]) -> None:
        """Forget what was planned and plan these."""
        with self._lock:
            self._armed = [_Armed(fault, fault.skip, fault.n) for fault in faults]

    def pending(self) -> list[dict[str, Any]]:
        """What has not happened yet."""
        with self._lock:
            return [{**armed.fault.model_dump(), "n": armed.left} for armed in self._armed if armed.left]

    def take(self, scope: Scope) -> Fault | None:
        """The failure that this request meets, counted down; None if it is to be served well."""
        with self._lock:
            for armed in self._armed:
                if armed.left and armed.fault.meets(scope):
                    if armed.skip:
                        armed.skip -= 1
                        continue
                    armed.left -= 1
                    return armed.fault
        return None


async def _swallow(message: Message) -> None:
    """A client's side that nobody listens to."""


def _break_connection(receive: Receive) -> None:
    """Reset the TCP connection: the client gets neither a status nor an orderly end.

    uvicorn hands out `receive` as a method of its request cycle, which knows the transport; ASGI itself
    offers no way to the socket.
    """
    transport = receive.__self__.transport  # type: ignore[attr-defined]
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _answer(send: Send, fault: Fault) -> None:
    status = fault.status or 500
    body = (fault.body or json.dumps({"error": f"Requested fault: {status}"})).encode()
    headers = {"content-type": "application/json"} | {
        key.lower(): text for key, text in fault.headers.items()
    }
    headers["content-length"] = str(len(body))
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


class FaultLayer:
    """Stands before the routes and lets planned failures happen."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or fail it as planned."""
        planned = scope["type"] == "http" and not scope["path"].startswith("/_test/")
        fault = self._plan.take(scope) if planned else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        await sleep(fault.delay)
        if not fault.status and not fault.reset:
            await self._app(scope, receive, send)
            return
        if fault.after:
            await self._app(scope, receive, _swallow)
        if fault.reset:
            _break_connection(receive)
        else:
            await _answer(send, fault)
