"""Bulk, local and on Ray, beside the bare classifier and `pipeline()` with batches.

python -m benchmarks.bulk runs/finsent-nano/release …     five minutes a release; writes bulk.md
python -m benchmarks.bulk runs/quickstart/release --quick     a minute or two, prints and writes nothing

The ways take turns. Ray has an environment of its own. More and more rows are for the first release alone.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer
from rich.console import Console

from benchmarks.bulk_runs import (
    BARE_CODE,
    PIPELINE_CODE,
    Run,
    choose_rows,
    code_command,
    printed_rate,
    run,
    run_local,
    run_ray,
    write_rows,
)
from benchmarks.environments import python_environment
from benchmarks.machine import tell_run
from finsent import REPOSITORY
from finsent.cli import print_anywhere

OUTPUT = Path(__file__).with_name("bulk.md")
REQUIREMENTS = REPOSITORY / "serving" / "requirements-ray.txt"
PIPELINE_SHARE = 20  # pipeline() gets every so many of the rows: it is slow
BARE, LOCAL, RAY, PIPELINE = "bare classifier", "`local`", "`ray`", "`pipeline()`, batches of 32"
LARGE = 10**9  # rows of the plan
CORES = 64  # of the cluster that is planned

Ways = dict[tuple[str, int], Run]
"""By the name of a way and its cores."""


def measure_ways(release: Path, rows: Path, ray_python: Path, turns: int) -> Ways:
    """Return what each way did on one core, and on two where there are two."""
    ways: dict[str, Callable[[int], Run]] = {
        BARE: lambda cores: run(code_command(BARE_CODE, release, rows, cores), cores, printed_rate),
        LOCAL: lambda cores: run_local(release, rows, cores),
        RAY: lambda cores: run_ray(ray_python, release, rows, cores),
        PIPELINE: lambda cores: run(
            [*code_command(PIPELINE_CODE, release, rows, cores), str(PIPELINE_SHARE)], cores, printed_rate
        ),
    }
    found: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for _ in range(turns):
        for cores in range(1, 1 + min(2, len(os.sched_getaffinity(0)))):
            for name, way in ways.items():
                found[name, cores].append(way(cores))
    return {key: join_runs(runs) for key, runs in sorted(found.items(), key=lambda item: item[0][1])}


def join_runs(runs: list[Run]) -> Run:
    """Return the medians of rates and seconds, and the most memory."""
    return Run(
        median(one.rate for one in runs), median(one.seconds for one in runs), max(one.memory for one in runs)
    )


def tell_ways(release: Path, number: int, found: Ways) -> list[str]:
    """Return the tables of a release."""
    lines = [
        f"## {release.parent.name}",
        "",
        f"| way | cores | rows/s | of the bare classifier | {number:,} rows with the start, s | MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (name, cores), one in found.items():
        share = one.rate / found[BARE, cores].rate
        whole = "" if name == PIPELINE else f"{one.seconds:.1f}"
        lines.append(f"| {name} | {cores} | {one.rate:,.0f} | {share:.0%} | {whole} | {one.memory:,.0f} |")
    lines += ["", "| what | aim | measured |", "| --- | --- | --- |"]
    shares = [
        f"{found[LOCAL, cores].rate / found[BARE, cores].rate:.0%} on {cores}"
        for cores in (1, 2)
        if (LOCAL, cores) in found
    ]
    lines.append(f"| {LOCAL} beside the bare classifier, by cores | 95 % of it | {', '.join(shares)} |")
    if (RAY, 2) in found:
        gain = found[RAY, 2].rate / found[RAY, 1].rate
        lines.append(f"| two actors of {RAY} beside one | 1.7 times | {gain:.2f} times |")
    return [*lines, ""]


def tell_growth(release: Path, folder: Path, numbers: list[int]) -> list[str]:
    """Measure `local` on all cores with more and more rows; return its table."""
    cores = len(os.sched_getaffinity(0))
    lines = [
        f"## How it grows: {release.parent.name}, `local` on {cores} cores",
        "",
        "| rows | seconds, start included | rows/s | MB |",
        "| --- | --- | --- | --- |",
    ]
    for number in numbers:
        rows = write_rows(folder / "grown.parquet", number)
        one = run_local(release, rows, cores)
        lines.append(f"| {number:,} | {one.seconds:,.1f} | {one.rate:,.0f} | {one.memory:,.0f} |")
        rows.unlink()
    return [*lines, ""]


def tell_plan(rates: dict[str, float], price: float) -> list[str]:
    """Return the plan for a billion rows, computed from rows a second on one core."""
    lines = [
        f"## {LARGE:,} rows, on paper",
        "",
        f"Computed from `local` on one core, not run. A core-hour is assumed to cost {price} USD.",
        "",
        f"| release | core-hours | hours on {CORES} cores | USD |",
        "| --- | --- | --- | --- |",
    ]
    for name, rate in rates.items():
        hours = LARGE / rate / 3600
        lines.append(f"| {name} | {hours:,.0f} | {hours / CORES:,.1f} | {hours * price:,.0f} |")
    return [*lines, ""]


def measure(releases: list[Path], seconds: float, turns: int, most: int, price: float) -> list[str]:
    """Return the sections of the page."""
    ray_python = python_environment(REQUIREMENTS)
    lines, rates = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for release in releases:
            number = choose_rows(release, folder, seconds)
            rows = write_rows(folder / "rows.parquet", number)
            found = measure_ways(release, rows, ray_python, turns)
            rates[release.parent.name] = found[LOCAL, 1].rate
            lines += tell_ways(release, number, found)
        sizes = [10**power for power in range(4, 10) if 10**power <= most]
        lines += tell_growth(releases[0], folder, sizes)
    return [*lines, *tell_plan(rates, price)]


def main(
    releases: Annotated[list[Path], typer.Argument(help="releases, such as runs/quickstart/release")],
    seconds: Annotated[float, typer.Option(help="of one run of the bare classifier on one core")] = 15.0,
    turns: Annotated[int, typer.Option(min=1, help="that each way has; their median counts")] = 2,
    most: Annotated[int, typer.Option(help="rows of the largest run of the first release")] = 10**6,
    price: Annotated[float, typer.Option(help="USD that a core-hour is assumed to cost")] = 0.04,
    quick: Annotated[bool, typer.Option("--quick", help="try it: few rows, and nothing is written")] = False,
) -> None:
    """Measure bulk and write benchmarks/bulk.md."""
    if quick:
        seconds, turns, most = 0.0, 1, 10_000
    head = [
        "# Bulk",
        "",
        f"Generated by `python -m benchmarks.bulk RELEASE… --seconds {seconds:g} --turns {turns} --most "
        f"{most}`. Each run is a process that may use so many cores; medians of {turns} turns. Rows/s are "
        "without the start, those of `ray` by the times at which its parts were written; MB count what "
        "processes share once. Rows are headlines of this repository, each with a number behind it; "
        f"`pipeline()` had every {PIPELINE_SHARE}th of them.",
        "",
    ]
    sections = measure([one.resolve() for one in releases], seconds, turns, most, price)
    page = "\n".join([*head, *sections, *tell_run(releases)])
    if not quick:
        OUTPUT.write_text(page + "\n", encoding="utf-8")
    Console().print(page, markup=False, soft_wrap=True)


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
