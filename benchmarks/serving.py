"""Compare our HTTP server with a simple FastAPI app, the demo's API and the bare classifier.

python -m benchmarks.serving runs/finsent-tiny/release        write benchmarks/serving.md
python -m benchmarks.serving runs/quickstart/release --quick  try it for a few seconds; write nothing

The servers run at the same time, but only one of them is asked at a time, by clients on the same cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import psutil
import typer
from rich.console import Console

from benchmarks.environments import free_port
from benchmarks.load import Ask, Load, ask, ask_gradio, put_load, request
from benchmarks.machine import tell_run
from benchmarks.space import serve as serve_demo
from benchmarks.texts import headlines
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("serving.md")
BATCH = 32
CLIENTS = (1, 8, 64)
BUSY = 8  # clients of a batch, and of what is compared
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
batches = json.load(sys.stdin)
classifier = Classifier(sys.argv[1])
classifier.predict(batches[0])
count, started, until = 0, time.perf_counter(), time.perf_counter() + float(sys.argv[2])
while time.perf_counter() < until:
    count += len(classifier.predict(batches[count // len(batches[0]) % len(batches)]))
print(count / (time.perf_counter() - started))
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


@dataclass
class Cell:
    """One line of the table."""

    server: Server
    texts: int
    clients: int
    load: Load = field(default_factory=Load)
    memory: float = 0.0

    def rate(self) -> float:
        """Return answered texts a second."""
        return self.load.statuses[200] * self.texts / self.load.seconds

    def line(self) -> str:
        """Return a row of Markdown."""
        p50, p99 = np.quantile(self.load.times, [0.5, 0.99]) * 1000
        others = sum(count for status, count in self.load.statuses.items() if status != 200)
        asked = "1 text" if self.texts == 1 else f"{self.texts} texts"
        return (
            f"| {self.server.name} | {asked} | {self.clients} | {self.rate() / self.texts:,.0f} | "
            f"{self.rate():,.0f} | {p50:.1f} | {p99:.1f} | {self.memory:.0f} | {others} |"
        )


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


@contextmanager
def servers(release: Path, texts: list[str], workers: int) -> Iterator[list[Server]]:
    """Start all of them; yields them with their requests."""
    batches = [texts[at : at + BATCH] for at in range(0, len(texts) - BATCH + 1, BATCH)]
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


def measure(found: list[Server], seconds: float, turns: int) -> list[Cell]:
    """Fill the table: for each number of clients the servers take turns."""
    rows = [[Cell(server, 1, clients) for server in found] for clients in CLIENTS]
    rows.append([Cell(server, BATCH, BUSY) for server in found if server.batches])
    for cells in rows:
        for _ in range(turns):
            for cell in cells:
                server = cell.server
                requests = server.one if cell.texts == 1 else server.batches
                cell.load.add(put_load(server.port, requests, cell.clients, seconds / turns, server.way))
                cell.memory = max(cell.memory, server.memory())
    return [cell for server in found for cells in rows for cell in cells if cell.server is server]


def bare_rate(release: Path, texts: list[str], seconds: float, workers: int) -> float:
    """Return texts a second of the classifier alone, in batches, in as many processes as the server has."""
    batches = json.dumps([texts[at : at + BATCH] for at in range(0, len(texts) - BATCH + 1, BATCH)])
    command = [sys.executable, "-c", BARE_CODE, str(release), str(seconds)]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) for _ in range(workers)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write(batches)
        one.stdin.close()
    return sum(float(one.stdout.read()) for one in started if one.stdout and one.wait() == 0)


def tell_aims(cells: list[Cell], bare: float) -> list[str]:
    """Return Markdown list items: the server beside the bare classifier and beside what people write."""
    by = {(cell.server.name, cell.texts, cell.clients): cell.rate() for cell in cells}
    batch, ours = by[OURS, BATCH, BUSY], by[OURS, 1, BUSY]
    return [
        f"- The bare classifier in batches of {BATCH}: {bare:,.0f} texts/s; through HTTP {batch / bare:.0%} "
        "of it.",
        f"- With {BUSY} clients {ours / by[PLAIN, 1, BUSY]:.1f} times FastAPI and `pipeline()`, "
        f"{ours / by[DEMO, 1, BUSY]:.0f} times the demo's API.",
    ]


def tell_half(server: Server, rate: float, seconds: float) -> str:
    """Return a Markdown list item: times at half of the rate that the server can answer."""
    load = put_load(server.port, server.one, BUSY, seconds, server.way, rate / 2)
    p50, p99 = np.quantile(load.times, [0.5, 0.99]) * 1000
    times = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {p99 / p50:.1f} times as much"
    return f"- At half load ({rate / 2:,.0f} requests/s): {times}."


def tell_soak(server: Server, seconds: float) -> str:
    """Return a Markdown list item: errors and growth of memory under the most clients for long."""
    put_load(server.port, server.one, CLIENTS[-1], min(seconds, 5), server.way)
    before = server.memory()
    load = put_load(server.port, server.one, CLIENTS[-1], seconds, server.way)
    statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(load.statuses.items()))
    grown = server.memory() - before
    return f"- {CLIENTS[-1]} clients for {seconds:.0f} s: {statuses}; memory {grown:+.0f} MB."


def measure_release(release: Path, seconds: float, turns: int, soak: float) -> list[str]:
    """Return the section of a release."""
    texts, workers = headlines()[: BATCH * 16], len(os.sched_getaffinity(0))
    bare = bare_rate(release, texts, seconds, workers)
    with servers(release, texts, workers) as found:
        cells = measure(found, seconds, turns)
        busy = next(cell for cell in cells if (cell.server, cell.clients) == (found[0], BUSY))
        last = [tell_half(found[0], busy.rate(), seconds), tell_soak(found[0], soak)]
    return [
        f"## {release.parent.name}",
        "",
        "| server | request | clients | requests/s | texts/s | p50, ms | p99, ms | memory, MB | not 200 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(cell.line() for cell in cells),
        "",
        *tell_aims(cells, bare),
        *last,
        "",
    ]


@app.command(help=app.info.help)
def main(
    releases: Annotated[list[Path], typer.Argument(help="releases, such as runs/quickstart/release")],
    seconds: Annotated[float, typer.Option(help="seconds for each line of the table")] = 12.0,
    turns: Annotated[int, typer.Option(help="number of times each line is measured")] = 3,
    soak: Annotated[float, typer.Option(help="seconds with the largest number of clients")] = 60.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="measure for a few seconds and write nothing")
    ] = False,
) -> None:
    """Measure releases over HTTP and write benchmarks/serving.md."""
    if quick:
        seconds, turns, soak = 1.0, 1, 2.0
    sections = [line for one in releases for line in measure_release(one.resolve(), seconds, turns, soak)]
    cores = len(os.sched_getaffinity(0))
    page = "\n".join(
        [
            "# A release over HTTP",
            "",
            "Generated by `python -m benchmarks.serving RELEASE…`. The servers run at the same time and are "
            f"asked in {turns} turns of {seconds / turns:g} s a line, on connections that stay open; server "
            f"and clients share {cores} cores. Memory counts what processes share once.",
            "",
            *sections,
            *tell_run(releases),
        ]
    )
    if not quick:
        OUTPUT.write_text(page + "\n", encoding="utf-8")
    Console().print(page, markup=False, soft_wrap=True)


if __name__ == "__main__":
    print_anywhere()
    app()
