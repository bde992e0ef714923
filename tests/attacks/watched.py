"""A Hub in a process of its own, whose memory, files and limits can be watched."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

REPO = Path(__file__).parents[2]
TOKEN = "hf_writer"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_for(endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            requests.get(f"{endpoint}/api/models", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the Hub did not start")


@contextmanager
def served(root: Path, *, files: int | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """Its address and its process; `files` is how many it may open."""
    root.mkdir()
    token = root.parent / "writer"
    token.write_text(TOKEN, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "local_hub", "serve", "--root", str(root), "--port", str(port)]
    process = subprocess.Popen([*command, "--token", f"ann:write:@{token}"], cwd=REPO)
    if files:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_for(endpoint)
        yield endpoint, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def growth_of(process: psutil.Process) -> Iterator[list[int]]:
    """By how many bytes its memory grows at most while the context lasts, in the list's only element."""
    before, growth, done = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            growth[0] = max(growth[0], process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield growth
    finally:
        done.set()
        thread.join()
