"""A Hub as people run it: a process of its own that can be asked, stopped and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import requests

from benchmarks.environments import free_port
from tests.local_hub.accounts import WRITE

ROOT = Path(__file__).parents[2]
BEARER = {"Authorization": f"Bearer {WRITE}"}


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)


def running_below(folder: Path) -> list[str]:
    """The processes that work in a folder: apps, builds, whatever they started there."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline())[:200])
        except (psutil.Error, OSError):
            continue
    return found


class ServedHub:
    """`python -m local_hub serve` with options; `stop` sends a signal and waits for the end."""

    def __init__(self, root: Path, *options: str, **environment: str) -> None:
        self.root = root
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "local_hub", "serve", "--root", str(root), "--port", str(port)]
        user = ["--token", f"ann:write:{WRITE}"]
        self.process = subprocess.Popen(
            [*command, *user, *options],
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers)

    def answers(self) -> bool:
        assert self.process.poll() is None, f"the Hub ended with {self.process.returncode}"
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.endpoint}/api/models", timeout=5).ok
        return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


@contextlib.contextmanager
def served_hub(root: Path, *options: str, **environment: str) -> Iterator[ServedHub]:
    hub = ServedHub(root, *options, **environment)
    try:
        yield hub
    finally:
        hub.stop(signal.SIGKILL)
