"""Clients that ask a server at once, each on a connection of its own that stays open.

They do as little as they can, because they share the cores with the server.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Ask = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[int]]
"""Sends a request, whole as bytes, and returns the status of the answer."""


@dataclass
class Load:
    """What clients saw: seconds of each answer, how many had which status, seconds of the whole."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Load) -> None:
        """Count another turn of the same clients."""
        self.times += other.times
        self.statuses += other.statuses
        self.seconds += other.seconds


def request(path: str, body: Any) -> bytes:  # noqa: ANN401  (any JSON)
    """Return a POST of JSON as it goes over the wire."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> int:
    """Send a request and read its answer."""
    writer.write(sent)
    return (await read_answer(reader))[0]


async def ask_gradio(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> int:
    """Send a request and fetch the event that answers it: Gradio's API has two steps."""
    writer.write(sent)
    status, body = await read_answer(reader)
    if status != 200:
        return status
    path = sent.split(b" ", 2)[1] + b"/" + json.loads(body)["event_id"].encode()
    writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
    status, body = await read_answer(reader)
    return status if b"event: complete" in body else 500


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body of an answer, with its length or in chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if found := _LENGTH.search(head):
        return status, await reader.readexactly(int(found[1]))
    body = b""
    while _CHUNKED.search(head) and (size := int(await reader.readuntil(b"\r\n"), 16)):
        body += (await reader.readexactly(size + 2))[:-2]
    if body:
        await reader.readexactly(2)
    return status, body


def put_load(
    port: int, requests: list[bytes], clients: int, seconds: float, way: Ask = ask, rate: float | None = None
) -> Load:
    """Let clients ask for some seconds: each as soon as it has its answer, or all together `rate` a second.

    With a rate a time counts from when the request was due, so that a server that stalls cannot hide it.
    """
    return asyncio.run(_put_load(port, cycle(requests), clients, seconds, way, rate))


async def _put_load(
    port: int, requests: Iterator[bytes], clients: int, seconds: float, way: Ask, rate: float | None
) -> Load:
    load = Load()
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    started = time.perf_counter()
    gap = clients / rate if rate else 0.0
    tasks = [
        _client(stream, requests, way, load, (started + number * gap / clients, started + seconds, gap))
        for number, stream in enumerate(streams)
    ]
    await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - started
    for _, writer in streams:
        writer.close()
    return load


async def _client(
    stream: Streams, requests: Iterator[bytes], way: Ask, load: Load, times: tuple[float, float, float]
) -> None:
    due, until, gap = times
    while (now := time.perf_counter()) < until:
        if gap and due > now:
            await asyncio.sleep(due - now)
        begun = due if gap else now
        load.statuses[await way(*stream, next(requests))] += 1
        load.times.append(time.perf_counter() - begun)
        due += gap
