"""Connections that cannot be held for nothing: bounded in number, and in how long the server waits for them.

uvicorn ends a connection that is idle between two requests, but waits without end for headers that never
come, and for a client that does not take its answer. Bodies that never come are refused in `middleware`.
"""

from __future__ import annotations

import asyncio
import json
import resource
import uuid
from collections.abc import Callable

from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.limits import Limits, RequestError

Count = Callable[[int], None]
SPARE_FILES = 100  # besides the connections: the model, the log, what the libraries have open


def allow_connections(wanted: int) -> int:
    """Let this process have `wanted` connections, if the system lets it; return how many it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = wanted + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < files:
        soft = files if hard == resource.RLIM_INFINITY else min(hard, files)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - SPARE_FILES))


def guarded_protocol(limits: Limits, count: Count | None = None) -> type[GuardedProtocol]:
    """Return the protocol with these limits, as uvicorn wants it: a class.

    `count` hears how many connections there are.
    """
    most = allow_connections(limits.connections)
    told = staticmethod(count or (lambda connections: None))
    settings = {"most": most, "patience": limits.header_seconds, "count": told}
    return type("Guarded", (GuardedProtocol,), settings)


class GuardedProtocol(H11Protocol):
    """HTTP for clients that may be slow; `patience` in seconds, `most` connections at a time."""

    most: int
    patience: float
    count: Count
    _timer: asyncio.TimerHandle | None = None
    """Set while it is the client's turn: to send headers, or to take the answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection; above `most` the client that has kept the server waiting longest has to go."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            waiting = [one for one in self.connections if isinstance(one, GuardedProtocol) and one._timer]
            longest = min(waiting, key=lambda one: one._timer.when() if one._timer else 0.0)
            self.connections.discard(longest)  # now: before it is really gone more may come
            longest.transport.abort()
        self.count(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Take bytes; few of them do not buy more time, a whole request does."""
        super().data_received(data)
        if self._is_serving() and not self.flow.write_paused:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the end of this answer."""
        super().on_response_complete()
        if not self._is_serving():
            self._wait()

    def pause_writing(self) -> None:
        """Wait for the client to take what was written."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Go on: the client has taken it."""
        super().resume_writing()
        if self._is_serving():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting: the connection is gone."""
        self._stop_waiting()
        super().connection_lost(exc)
        self.count(len(self.connections))

    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(self.patience, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self._is_serving() or not self.conn.trailing_data[0]:
            self.transport.abort()
            return
        self.transport.write(_headers_too_late(self.patience))
        self.transport.close()


def _headers_too_late(patience: float) -> bytes:
    said = f"the headers did not arrive within {patience:g} seconds; send them at once"
    body = json.dumps(RequestError(408, "timeout", said).body(uuid.uuid4().hex)).encode()
    head = "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
