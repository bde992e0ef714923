"""One port, two processes: neither has all the clients while the other idles."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from serving.listener import NOBODY, PATIENCE, Connections, SharedListener, open_port


@pytest.fixture
def listeners() -> Iterator[list[SharedListener]]:
    """What two processes would have, both ready; and their clients' address."""
    connections = Connections(2)
    with closing(open_port("127.0.0.1", 0)) as port:
        found = [SharedListener(port.dup(), connections, process) for process in range(2)]
        for one in found:
            one.setblocking(False)
            one.listen()
        yield found
        for one in found:
            one.close()


def take(listener: SharedListener) -> bool:
    """Whether the process takes the connection that waits."""
    with suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


def test_connections_go_to_the_process_with_fewest(listeners: list[SharedListener]) -> None:
    first, second = listeners
    clients = [socket.create_connection(first.getsockname()) for _ in range(4)]
    taken = [take(one) for one in (first, first, second, first, first)]
    assert taken == [True, False, True, True, False]
    second.count(0)  # its client has gone
    assert take(second)
    for client in clients:
        client.close()


def test_what_was_left_before_does_not_count_for_the_next_one(listeners: list[SharedListener]) -> None:
    first, second = listeners
    clients = [socket.create_connection(first.getsockname()) for _ in range(2)]
    assert [take(one) for one in (first, first, second)] == [True, False, True]
    second.count(0)  # its client has gone
    time.sleep(2 * PATIENCE)
    clients.append(socket.create_connection(first.getsockname()))
    assert [take(first), take(second)] == [False, True]
    for client in clients:
        client.close()


def test_no_connection_waits_long_for_a_process_that_is_busy(listeners: list[SharedListener]) -> None:
    first, _ = listeners
    clients = [socket.create_connection(first.getsockname()) for _ in range(2)]
    assert take(first)
    started = time.monotonic()
    while not take(first):
        assert time.monotonic() < started + 5, "nobody takes it"
    for client in clients:
        client.close()


def test_a_process_that_is_not_there_yet_is_not_waited_for() -> None:
    connections = Connections(3)
    with closing(open_port("127.0.0.1", 0)) as port:
        ready = SharedListener(port.dup(), connections, 1)
        ready.setblocking(False)
        ready.listen()
        assert [connections[process] for process in range(3)] == [NOBODY, 0, NOBODY]
        clients = [socket.create_connection(ready.getsockname()) for _ in range(2)]
        assert [take(ready), take(ready), take(ready)] == [True, True, False]
        for client in clients:
            client.close()
        ready.close()
