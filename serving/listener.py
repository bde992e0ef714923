"""One port, several processes: each connection goes to the process that has the fewest.

Left alone, the first process to wake up takes every connection that comes in the same moment, and keeps those
clients for as long as they stay, while the others idle.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from ctypes import c_int, c_longlong
from typing import Any

BACKLOG = 1024  # connections that wait to be accepted
PATIENCE = 0.02  # seconds for a process with fewer connections to take the next one
GLANCE = 0.0002  # seconds between two looks whether it did
NOBODY = 2**30  # connections of a process that is not there: more than any other has


class Connections:
    """How many connections each process has, in memory that they share; each writes its own number alone."""

    def __init__(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._counts = context.Array(c_int, [NOBODY] * processes, lock=False)
        self._taken = context.Array(c_longlong, processes, lock=False)

    def __getitem__(self, process: int) -> int:
        """Return how many connections a process has."""
        return self._counts[process]

    def __setitem__(self, process: int, count: int) -> None:
        """Say how many a process has; NOBODY when it takes none."""
        self._counts[process] = count

    def least(self) -> int:
        """Return how many the process with the fewest has."""
        return min(self._counts[:])

    def note_taken(self, process: int) -> None:
        """Count a connection that a process takes."""
        self._counts[process] += 1
        self._taken[process] += 1

    def taken(self) -> int:
        """Return how many were ever taken by all of them."""
        return sum(self._taken[:])


class SharedListener(socket.socket):
    """The listening socket in one of the processes."""

    def __init__(self, listener: socket.socket, connections: Connections, process: int) -> None:
        super().__init__(fileno=listener.detach())
        self._connections, self._process = connections, process
        self._left: tuple[int, float] | None = None  # how many were taken when one was left, and when

    def listen(self, backlog: int = BACKLOG) -> None:
        """Begin to take connections."""
        super().listen(backlog)
        self.count(0)

    def accept(self) -> tuple[socket.socket, Any]:
        """Take a connection; BlockingIOError, as if there were none, while the others should take it."""
        if self._leaves_it():
            time.sleep(GLANCE)
            raise BlockingIOError
        self._left = None
        taken = super().accept()
        self._connections.note_taken(self._process)  # now: the protocol hears of it a little later
        return taken

    def count(self, connections: int) -> None:
        """Say how many connections this process has."""
        self._connections[self._process] = connections

    def _leaves_it(self) -> bool:
        if self._connections[self._process] <= self._connections.least():
            return False
        taken, now = self._connections.taken(), time.monotonic()
        if self._left is None or self._left[0] != taken:  # the one that was left is gone: this is another
            self._left = taken, now
        return now < self._left[1] + PATIENCE


def open_port(host: str, port: int) -> socket.socket:
    """Return a listening socket. OSError when the port is taken or the address is not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener
