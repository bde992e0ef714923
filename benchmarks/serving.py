"""A release over HTTP: our server, what people write themselves, the demo's API, and the bare classifier.

python -m benchmarks.serving runs/finsent-tiny/release …     four minutes a release; writes serving.md
python -m benchmarks.serving runs/quickstart/release --quick     half a minute, prints and writes nothing

All run at the same time and are asked in turn, one of them at a time, by clients on the same cores.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import typer
from rich.console import Console

from benchmarks.load import Load, put_load
from benchmarks.machine import tell_run
from benchmarks.servers import BATCH, DEMO, OURS, PLAIN, Bare, Server, servers
from benchmarks.texts import headlines
from finsent.cli import print_anywhere

OUTPUT = Path(__file__).with_name("serving.md")
CLIENTS = (1, 8, 64)
BUSY = 8  # clients of a batch, and of what is compared
Aim = tuple[str, str, str]  # what, the aim, measured


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


def measure(found: list[Server], bare: Bare, seconds: float, turns: int) -> tuple[list[Cell], float]:
    """Fill the table and find the bare rate: for each number of clients all take turns."""
    rows = [[Cell(server, 1, clients) for server in found] for clients in CLIENTS]
    rows.append([Cell(server, BATCH, BUSY) for server in found if server.batches])
    for cells in rows[:-1]:
        for _ in range(turns):
            _ask_all(cells, seconds / turns)
    rates = []
    for _ in range(turns):
        rates.append(bare.rate(seconds / turns))
        _ask_all(rows[-1], seconds / turns)
    ordered = [cell for server in found for cells in rows for cell in cells if cell.server is server]
    return ordered, float(np.mean(rates))


def _ask_all(cells: list[Cell], seconds: float) -> None:
    for cell in cells:
        server = cell.server
        requests = server.one if cell.texts == 1 else server.batches
        cell.load.add(put_load(server.port, requests, cell.clients, seconds, server.way))
        cell.memory = max(cell.memory, server.memory())


def compare(cells: list[Cell], bare: float) -> list[Aim]:
    """Return how the server does beside the bare classifier and beside what people write."""
    by = {(cell.server.name, cell.texts, cell.clients): cell.rate() for cell in cells}
    batch, ours = by[OURS, BATCH, BUSY], by[OURS, 1, BUSY]
    return [
        (
            f"batches of {BATCH} beside the bare classifier",
            "80 % of it",
            f"{batch / bare:.0%}: {batch:,.0f} of {bare:,.0f} texts/s",
        ),
        (
            f"{BUSY} clients beside FastAPI and `pipeline()`",
            "3 times; 8 times for finsent-small",
            f"{ours / by[PLAIN, 1, BUSY]:.1f} times",
        ),
        (f"{BUSY} clients beside the demo's API", "", f"{ours / by[DEMO, 1, BUSY]:.0f} times"),
    ]


def measure_half(server: Server, rate: float, seconds: float) -> Aim:
    """Return times at half of the rate that the server can answer."""
    load = put_load(server.port, server.one, BUSY, seconds, server.way, rate / 2)
    p50, p99 = np.quantile(load.times, [0.5, 0.99]) * 1000
    measured = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {p99 / p50:.1f} times as much"
    return f"half load, {rate / 2:,.0f} requests/s", "p99 at most 5 times p50", measured


def measure_soak(server: Server, seconds: float) -> Aim:
    """Return errors and growth of memory under the most clients for long."""
    put_load(server.port, server.one, CLIENTS[-1], min(seconds, 5), server.way)
    before = server.memory()
    load = put_load(server.port, server.one, CLIENTS[-1], seconds, server.way)
    statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(load.statuses.items()))
    measured = f"{statuses}; memory {server.memory() - before:+.0f} MB"
    return f"{CLIENTS[-1]} clients for {seconds:.0f} s", "no error but 429, memory flat", measured


def measure_release(release: Path, seconds: float, turns: int, soak: float) -> list[str]:
    """Return the section of a release."""
    texts, cores = headlines()[: BATCH * 16], len(os.sched_getaffinity(0))
    with closing(Bare(release, texts, cores)) as bare, servers(release, texts, cores) as found:
        cells, rate = measure(found, bare, seconds, turns)
        busy = next(cell for cell in cells if (cell.server, cell.clients) == (found[0], BUSY))
        aims = compare(cells, rate)
        aims += [measure_half(found[0], busy.rate(), seconds), measure_soak(found[0], soak)]
    return [
        f"## {release.parent.name}",
        "",
        "| server | request | clients | requests/s | texts/s | p50, ms | p99, ms | memory, MB | not 200 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(cell.line() for cell in cells),
        "",
        f"| {OURS} | aim | measured |",
        "| --- | --- | --- |",
        *(f"| {' | '.join(aim)} |" for aim in aims),
        "",
    ]


def main(
    releases: Annotated[list[Path], typer.Argument(help="releases, such as runs/quickstart/release")],
    seconds: Annotated[float, typer.Option(help="of each line of the table")] = 9.0,
    turns: Annotated[int, typer.Option(help="that each line is measured in")] = 3,
    soak: Annotated[float, typer.Option(help="seconds under the most clients")] = 60.0,
    quick: Annotated[bool, typer.Option("--quick", help="try it: seconds, and nothing is written")] = False,
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
    typer.run(main)
