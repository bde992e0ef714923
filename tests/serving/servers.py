"""A server of the tests: in a thread, where a test changes its limits, or as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn

from finsent import REPOSITORY
from serving.limits import Limits
from serving.listener import open_port
from serving.model import ServedModel
from serving.rest import create_app
from serving.server import configure

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


@contextmanager
def serving(
    model: ServedModel, limits: Limits | None = None, token: str | None = None, threads: int = 2
) -> Iterator[str]:
    """Serve a model on a free port of this process; yield the address."""
    limits = limits or Limits()
    server = uvicorn.Server(configure(create_app(model, limits, threads, token), limits))
    listener = open_port("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


REQUESTS = 50


def ask_across_an_end(address: str, stop: Callable[[], None]) -> list[tuple[int, int]]:
    """Send 50 requests of 100 texts, call `stop` when half are sent; return status and answers of each."""
    begun = threading.Semaphore(0)
    place = address.removeprefix("http://")

    def ask(number: int) -> tuple[int, int]:
        body = json.dumps({"inputs": [[f"profit of bank {number} rose {row}"] for row in range(100)]})
        with closing(http.client.HTTPConnection(place, timeout=100)) as connection:
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            begun.release()
            answer = connection.getresponse()
            return answer.status, len(json.loads(answer.read()))

    with ThreadPoolExecutor(REQUESTS) as pool:
        asked = [pool.submit(ask, number) for number in range(REQUESTS)]
        for _ in range(REQUESTS // 2):
            begun.acquire()
        stop()
        return [one.result() for one in asked]


@dataclass
class ServerProcess:
    """`python -m serving` as it was started; what it writes to stderr is collected in `lines`."""

    process: subprocess.Popen[str]
    address: str
    lines: list[str] = field(default_factory=list)

    def read_log(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(line.rstrip("\n") for line in self.process.stderr)


@contextmanager
def started(release: Path, *options: str) -> Iterator[ServerProcess]:
    """Start the command on a free port and wait until it is healthy; it is ended at the end of the block."""
    command = [sys.executable, "-m", "serving", str(release), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=ENVIRONMENT)
    assert process.stderr is not None
    first = process.stderr.readline()
    address = re.match(r"http://\S+", first)
    assert address, first + process.stderr.read()
    server = ServerProcess(process, address[0])
    reader = threading.Thread(target=server.read_log, daemon=True)
    reader.start()
    try:
        # the port is open from the start: the request waits until the model is loaded
        assert httpx.get(f"{server.address}/health", timeout=60).status_code == 200
        yield server
    finally:
        for _ in range(2):  # the second one skips the waiting
            process.terminate()
            time.sleep(0.1)
        process.wait(60)
        reader.join(20)
        process.stderr.close()
