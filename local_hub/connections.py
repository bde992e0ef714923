"""Connections that cannot be held for nothing: bounded in number, and in how long the server waits for them.

uvicorn ends idle connections between two requests, but waits without end for headers that never come and for
a client that does not read. Bodies that never end are the affair of `request_body`.
"""

from __future__ import annotations

import asyncio
import resource

from uvicorn.protocols.http.h11_impl import H11Protocol

_FILES, _MOST = 8192, 2000
_LATE = 1.0  # seconds


def raise_file_limit() -> None:
    """Let this process open as many files as it may, within reason; the usual 1,024 are soon taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """How many connections may be open: a quarter of the files, for every request needs some of its own."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else max(16, min(_MOST, soft // 4))


def guarded_protocol(limit: int, patience: float) -> type[GuardedProtocol]:
    """The protocol with these bounds, as uvicorn wants it: a class."""
    return type("Guarded", (GuardedProtocol,), {"limit": limit, "patience": patience})


class GuardedProtocol(H11Protocol):
    """HTTP for clients that may be slow, broken or hostile; `patience` in seconds."""

    limit: int
    patience: float
    _timer: asyncio.TimerHandle | None = None
    _progress = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection; above the limit the one that has kept the server waiting longest has to go."""
        super().connection_made(transport)
        self._progress = self.loop.time()
        self._wait()
        if len(self.connections) > self.limit:
            waiting = [one for one in self.connections if isinstance(one, GuardedProtocol) and one.waits]
            last = min(waiting, key=lambda one: one._progress)  # this new one waits, too
            self.connections.discard(last)  # now: before it is really gone more may come
            last.transport.abort()

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn: to send a request or its body, or to take the answer."""
        if self.cycle is None or self.cycle.response_complete or self.flow.write_paused:
            return True
        return self.cycle.more_body and not self.flow.read_paused

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(self.patience, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self._timer and self.loop.time() > self._timer.when() + _LATE:
            self._wait()  # this server was held up itself, and with it perhaps the bytes that it waits for
        else:
            self.transport.abort()

    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Take bytes; once they make up a request, nobody waits for its headers any more."""
        self._progress = self.loop.time()
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
        self._progress = self.loop.time()
        if self._is_serving():
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)
