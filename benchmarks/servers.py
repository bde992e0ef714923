"""What is asked in benchmarks/serving.py: our server, what people write, the demo, the bare classifier."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.environments import free_port
from benchmarks.load import Ask, ask, ask_gradio, request
from benchmarks.space import serve as serve_demo
from finsent import REPOSITORY

BATCH = 32
START_SECONDS = 300
OURS, PLAIN, DEMO = "`python -m serving`", "FastAPI and `pipeline()`", "Gradio API of the demo"

PLAIN_CODE = """
import sys
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

classify = pipeline("text-classification", model=sys.argv[1])
app = FastAPI()

class Texts(BaseModel):
    inputs: str | list[str]

@app.get("/health")
def health():
    return {"status": "ok"}

@app.post("/predict")
def predict(texts: Texts):
    return classify(texts.inputs)

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""

BARE_CODE = """
import json, sys, time
from inference.classifier import Classifier
classifier, batches = Classifier(sys.argv[1]), json.loads(sys.stdin.readline())
classifier.predict(batches[0])
print("ready", flush=True)
for seconds in sys.stdin:
    count, started = 0, time.perf_counter()
    while time.perf_counter() < started + float(seconds):
        count += len(classifier.predict(batches[count // len(batches[0]) % len(batches)]))
    print(count / (time.perf_counter() - started), flush=True)
"""


@dataclass
class Server:
    """A server that runs, and how it is asked."""

    name: str
    port: int
    process: psutil.Process
    way: Ask
    one: list[bytes]
    """A request a text."""
    batches: list[bytes] = field(default_factory=list)
    """A request a batch of texts; none where the server takes one text."""

    def memory(self) -> float:
        """Return MB of its processes; what they share counts once."""
        found = [self.process, *self.process.children(recursive=True)]
        return float(sum(one.memory_full_info().pss for one in found) / 1e6)


@contextmanager
def _process(command: list[str], port: int) -> Iterator[psutil.Process]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=quiet, stderr=quiet)
    try:
        until = time.monotonic() + START_SECONDS
        while not _is_healthy(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command[:4])} … did not start")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def cut_batches(texts: list[str]) -> list[list[str]]:
    """Return the texts in whole batches."""
    return [texts[at : at + BATCH] for at in range(0, len(texts) - BATCH + 1, BATCH)]


@contextmanager
def servers(release: Path, texts: list[str], workers: int) -> Iterator[list[Server]]:
    """Start all of them; yields them with their requests."""
    batches = cut_batches(texts)
    one = [request("/predict", {"inputs": text}) for text in texts]
    with ExitStack() as stack:
        port = free_port()
        command = [sys.executable, "-m", "serving", str(release), "--port", str(port)]
        process = stack.enter_context(_process([*command, "--workers", str(workers)], port))
        many = [request("/predict", {"inputs": [[text] for text in batch]}) for batch in batches]
        ours = Server(OURS, port, process, ask, one, many)
        port = free_port()
        process = stack.enter_context(
            _process([sys.executable, "-c", PLAIN_CODE, str(release), str(port)], port)
        )
        plain = Server(
            PLAIN, port, process, ask, one, [request("/predict", {"inputs": batch}) for batch in batches]
        )
        yield [ours, plain, stack.enter_context(_demo(release, texts))]


@contextmanager
def _demo(release: Path, texts: list[str]) -> Iterator[Server]:
    port, before = free_port(), set(psutil.Process().children())
    with serve_demo([sys.executable, "app.py"], port, release):
        [process] = set(psutil.Process().children()) - before
        requests = [request("/gradio_api/call/classify", {"data": [text]}) for text in texts]
        yield Server(DEMO, port, process, ask_gradio, requests)


class Bare:
    """The classifier alone, in batches, in as many processes as the server has."""

    def __init__(self, release: Path, texts: list[str], processes: int) -> None:
        command, pipe = [sys.executable, "-c", BARE_CODE, str(release)], subprocess.PIPE
        self._processes = [
            subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True)
            for _ in range(processes)
        ]
        self._tell(json.dumps(cut_batches(texts)))
        self._hear()

    def rate(self, seconds: float) -> float:
        """Classify for so many seconds; return texts a second of all processes together."""
        self._tell(str(seconds))
        return sum(map(float, self._hear()))

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.communicate()

    def _tell(self, line: str) -> None:
        for process in self._processes:
            assert process.stdin
            process.stdin.write(f"{line}\n")
            process.stdin.flush()

    def _hear(self) -> list[str]:
        return [process.stdout.readline() for process in self._processes if process.stdout]
