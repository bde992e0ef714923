"""Compare serving.bulk, local and on Ray, with the bare classifier and `pipeline()` in batches.

python -m benchmarks.bulk runs/finsent-nano/release        write benchmarks/bulk.md
python -m benchmarks.bulk runs/quickstart/release --quick  try it for a minute or two; write nothing

Each run is a separate process with a fixed number of cores. Ray has its own environment. With several
releases, only the first one is measured with growing numbers of rows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import psutil
import pyarrow
import pyarrow.parquet as parquet
import typer
from rich.console import Console

from benchmarks.environments import python_environment
from benchmarks.machine import tell_run
from benchmarks.memory import watch_peak
from benchmarks.texts import headlines
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("bulk.md")
REQUIREMENTS = REPOSITORY / "serving" / "requirements-ray.txt"
CHUNK = 100_000  # rows that are written at a time
LOOK = 0.5  # seconds between two looks at the memory
PIPELINE_SHARE = 20  # pipeline() gets every so many of the rows: it is slow
LARGE = 10**9  # rows of the plan
CORES = 64  # of the cluster that is planned

BARE_CODE = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import pyarrow.parquet as parquet
from inference.classifier import Classifier
classifier, cores = Classifier(sys.argv[1]), int(sys.argv[3])
texts = parquet.read_table(sys.argv[2])["text"].to_pylist()
classifier.predict(texts[:64])
started = time.perf_counter()
with ThreadPoolExecutor(cores) as pool:
    list(pool.map(classifier.predict, [texts[at : at + 4096] for at in range(0, len(texts), 4096)]))
print(len(texts) / (time.perf_counter() - started))
"""

PIPELINE_CODE = """
import sys, time
import pyarrow.parquet as parquet
import torch
from transformers import pipeline
torch.set_num_threads(int(sys.argv[3]))
classify = pipeline("text-classification", model=sys.argv[1])
texts = parquet.read_table(sys.argv[2])["text"].to_pylist()[:: int(sys.argv[4])]
classify(texts[:64], batch_size=32)
started = time.perf_counter()
classify(texts, batch_size=32)
print(len(texts) / (time.perf_counter() - started))
"""


@dataclass(frozen=True)
class Run:
    """What a process did: rows a second, seconds with its start, MB that it had at most."""

    rate: float
    seconds: float
    memory: float


def write_rows(path: Path, number: int) -> Path:
    """Write Parquet with so many headlines, the same ones again and again under their own numbers."""
    texts = cycle(headlines())
    schema = pyarrow.schema([("text", pyarrow.string())])
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, number, CHUNK):
            some = islice(texts, min(CHUNK, number - start))
            rows = [f"{text} {start + index}" for index, text in enumerate(some)]
            writer.write_table(pyarrow.table({"text": rows}, schema))
    return path


def _memory(process: psutil.Process) -> float:
    """Return the MB of a process and those it starts; shared pages count once."""
    total = 0.0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().pss / 1e6
    except psutil.Error:
        pass  # it has just ended
    return total


def run(command: list[str], cores: int, rate: Callable[[str, str], float]) -> Run:
    """Run a command on so many cores; `rate` finds rows a second in what it prints to stdout and stderr."""
    started = time.perf_counter()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True) as process:
        watched = psutil.Process(process.pid)
        watched.cpu_affinity(sorted(os.sched_getaffinity(0))[:cores])  # what it starts has the same
        with watch_peak(partial(_memory, watched), LOOK) as peak:
            said, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} … failed: {errors[-500:]}")
    return Run(rate(said, errors), time.perf_counter() - started, peak[0])


def run_bulk(python: Path, release: Path, rows: Path, cores: int, engine: str) -> Run:
    """Run the command with an output folder of its own."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        command = [str(python), "-m", "serving.bulk", str(release), str(rows), f"{folder}/out"]
        return run([*command, "--engine", engine, "--threads", str(cores)], cores, _bulk_rate)


def _bulk_rate(said: str, errors: str) -> float:
    number, seconds = re.findall(r"([\d,]+) rows in ([\d.]+) s", errors)[-1]
    return int(number.replace(",", "")) / float(seconds)


def printed_rate(said: str, errors: str) -> float:
    """Return what a process printed, which is rows a second."""
    return float(said)


def measure_ways(release: Path, rows: Path, ray_python: Path) -> dict[tuple[str, int], Run]:
    """Return what each way did on one core, and on two where there are two."""
    found = {}
    here = Path(sys.executable)
    for cores in range(1, 1 + min(2, len(os.sched_getaffinity(0)))):
        code = [str(here), "-c"]
        beside = [str(release), str(rows), str(cores)]
        ways: dict[str, Callable[[], Run]] = {
            "bare classifier": partial(run, [*code, BARE_CODE, *beside], cores, printed_rate),
            "`local`": partial(run_bulk, here, release, rows, cores, "local"),
            "`ray`": partial(run_bulk, ray_python, release, rows, cores, "ray"),
            "`pipeline()`, batches of 32": partial(
                run, [*code, PIPELINE_CODE, *beside, str(PIPELINE_SHARE)], cores, printed_rate
            ),
        }
        for name, way in ways.items():
            found[name, cores] = way()
    return found


def tell_ways(release: Path, number: int, found: dict[tuple[str, int], Run]) -> list[str]:
    """Return the table of a release."""
    lines = [
        f"## {release.parent.name}",
        "",
        f"| way | cores | rows/s | of the bare classifier | {number:,} rows with the start, s | MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (name, cores), one in found.items():
        share = one.rate / found["bare classifier", cores].rate
        whole = "" if "pipeline" in name else f"{one.seconds:.1f}"
        lines.append(f"| {name} | {cores} | {one.rate:,.0f} | {share:.0%} | {whole} | {one.memory:,.0f} |")
    if ("`ray`", 2) in found:
        gain = found["`ray`", 2].rate / found["`ray`", 1].rate
        lines += ["", f"Two actors of `ray` do {gain:.2f} times what one does."]
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
        one = run_bulk(Path(sys.executable), release, rows, cores, "local")
        lines.append(f"| {number:,} | {one.seconds:,.1f} | {one.rate:,.0f} | {one.memory:,.0f} |")
        rows.unlink()
    return [*lines, ""]


def tell_plan(rates: dict[str, float], price: float) -> list[str]:
    """Return the plan for a billion rows, reckoned from rows a second on one core."""
    lines = [
        f"## {LARGE:,} rows, on paper",
        "",
        f"Reckoned from `local` on one core; nobody ran it. A core-hour is taken to cost {price} USD.",
        "",
        f"| release | core-hours | hours on {CORES} cores | USD |",
        "| --- | --- | --- | --- |",
    ]
    for name, rate in rates.items():
        hours = LARGE / rate / 3600
        lines.append(f"| {name} | {hours:,.0f} | {hours / CORES:,.1f} | {hours * price:,.0f} |")
    return [*lines, ""]


def measure(releases: list[Path], number: int, most: int, price: float) -> str:
    """Return the page."""
    ray_python = python_environment(REQUIREMENTS)
    lines, rates = [], {}
    with tempfile.TemporaryDirectory() as name:
        rows = write_rows(Path(name) / "rows.parquet", number)
        for release in releases:
            found = measure_ways(release, rows, ray_python)
            rates[release.parent.name] = found["`local`", 1].rate
            lines += tell_ways(release, number, found)
        sizes = [10**power for power in range(3, 10) if number // 10 <= 10**power <= most]
        lines += tell_growth(releases[0], Path(name), sizes)
    head = [
        "# Bulk",
        "",
        f"Generated by `python -m benchmarks.bulk RELEASE… --rows {number} --most {most}`. Each run is a "
        "process that may use so many cores; rows/s are without its start, MB count what processes share "
        f"once. Rows are headlines of this repository; `pipeline()` had every {PIPELINE_SHARE}th of them.",
        "",
    ]
    return "\n".join([*head, *lines, *tell_plan(rates, price), *tell_run(releases)])


@app.command(help=app.info.help)
def main(
    releases: Annotated[list[Path], typer.Argument(help="releases, such as runs/quickstart/release")],
    rows: Annotated[int, typer.Option(help="rows in the comparison")] = 100_000,
    most: Annotated[int, typer.Option(help="rows in the largest run of the first release")] = 10**7,
    price: Annotated[float, typer.Option(help="assumed price of a core-hour in USD")] = 0.04,
    quick: Annotated[bool, typer.Option("--quick", help="use few rows and write nothing")] = False,
) -> None:
    """Measure bulk and write benchmarks/bulk.md."""
    if quick:
        rows, most = 2000, 10_000
    page = measure([one.resolve() for one in releases], rows, most, price)
    if not quick:
        OUTPUT.write_text(page + "\n", encoding="utf-8")
    Console().print(page, markup=False, soft_wrap=True)


if __name__ == "__main__":
    print_anywhere()
    app()
