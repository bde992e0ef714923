"""Clients that hold a connection and send nothing, or little, cost neither memory nor anybody's answer."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from serving.connections import allow_connections
from serving.limits import Limits
from serving.listener import open_port
from serving.model import ServedModel
from tests.serving.servers import serving, started

PATIENCE = 0.4
BODY = json.dumps({"inputs": "profit rose"}).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def patient(model: ServedModel) -> Iterator[str]:
    with serving(model, Limits(header_seconds=PATIENCE, body_seconds=PATIENCE)) as address:
        yield address


@contextmanager
def _connected(address: str) -> Iterator[socket.socket]:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


def _read_to_end(connection: socket.socket) -> bytes:
    try:
        return b"".join(iter(lambda: connection.recv(65536), b""))
    except ConnectionResetError:
        return b""


def test_headers_that_stop_half_way_are_408(patient: str) -> None:
    with _connected(patient) as connection:
        connection.sendall(HEAD)
        head, _, body = _read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    said = json.loads(body)
    assert set(said) == {"error", "error_type", "request_id"} and "0.4 seconds" in said["error"]


def test_headers_that_drip_buy_no_time(patient: str) -> None:
    started_at = time.monotonic()
    with _connected(patient) as connection:
        connection.settimeout(PATIENCE / 8)
        answer = b""
        while not answer and time.monotonic() < started_at + 20:
            try:
                connection.sendall(b"G")
                answer = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert time.monotonic() - started_at < 20


def test_a_connection_without_a_byte_is_closed_without_a_word(patient: str) -> None:
    with _connected(patient) as connection:
        assert _read_to_end(connection) == b""


def test_a_second_request_of_a_connection_has_its_time_too(patient: str) -> None:
    with _connected(patient) as connection:
        connection.sendall(WHOLE)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(HEAD[:20])
        assert b"HTTP/1.1 408" in _read_to_end(connection)


def test_a_client_that_does_not_take_its_answer_is_cut_off(model: ServedModel) -> None:
    """Pipelined requests for long answers fill the buffers of both sides; nothing of them is read."""
    limits = Limits(header_seconds=PATIENCE, texts=5000)
    texts = json.dumps({"inputs": [["a"]] * 5000}).encode()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(texts) + texts
    with serving(model, limits) as address, _connected(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        until = time.monotonic() + 60
        with pytest.raises((ConnectionError, BrokenPipeError)):
            while time.monotonic() < until:
                connection.sendall(request)
        assert httpx.post(f"{address}/predict", json={"inputs": "a"}, timeout=60).status_code == 200


def test_above_the_limit_who_kept_it_waiting_longest_goes(model: ServedModel) -> None:
    with serving(model, Limits(connections=3)) as address, ExitStack() as stack:
        idle = []
        for _ in range(4):
            idle.append(stack.enter_context(_connected(address)))
            time.sleep(0.05)  # so that it is known who came first
        assert _read_to_end(idle[0]) == b""
        idle[3].sendall(WHOLE)
        assert idle[3].recv(65536).startswith(b"HTTP/1.1 200")
        idle[1].sendall(WHOLE)
        assert idle[1].recv(65536).startswith(b"HTTP/1.1 200")


def test_answers_are_not_held_back_for_the_next_bytes() -> None:
    """With Nagle's algorithm an answer in two pieces takes 40 ms longer."""

    async def accepted(listener: socket.socket) -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        server = await asyncio.start_server(note, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname())
        async with server:
            result = await found
        writer.close()
        return result

    with open_port("127.0.0.1", 0) as listener:
        assert asyncio.run(accepted(listener)) != 0


def test_no_more_connections_than_files_may_be_open() -> None:
    assert allow_connections(10) == 10
    assert allow_connections(10**9) < 10**9


@pytest.mark.slow
def test_a_thousand_slow_clients_cost_no_answer_and_no_memory(tiny_release: Path) -> None:
    allow_connections(1500)
    with started(tiny_release, "--workers", "2") as server, ExitStack() as stack:
        processes = [child for child in psutil.Process(server.process.pid).children(recursive=True)]
        _ask_often(server.address, 50)
        before = sum(one.memory_info().rss for one in processes)
        slow = [stack.enter_context(_connected(server.address)) for _ in range(1000)]
        dripping = threading.Event()
        thread = threading.Thread(target=_drip, args=(slow, dripping))
        thread.start()
        try:
            statuses = _ask_often(server.address, 300)
        finally:
            dripping.set()
            thread.join()
        grown = sum(one.memory_info().rss for one in processes) - before
        answers = [_read_to_end(one) for one in slow]
    assert set(statuses) <= {200, 429} and statuses.count(200) > 250
    assert grown < 60e6
    assert {answer[:12] for answer in answers} <= {b"HTTP/1.1 408", b""}


def _ask_often(address: str, number: int) -> list[int]:
    with httpx.Client(base_url=address, timeout=60) as client:
        return [client.post("/predict", json={"inputs": "profit rose"}).status_code for _ in range(number)]


def _drip(slow: list[socket.socket], stop: threading.Event) -> None:
    """Send a byte of each request's headers now and then, until the server has had enough of it."""
    for byte in HEAD:
        for connection in slow:
            try:
                connection.send(bytes([byte]))
            except OSError:
                continue
        if stop.wait(0.5):
            return
