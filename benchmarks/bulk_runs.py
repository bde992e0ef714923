"""Each way to classify a file of rows, as a process of its own that may use so many cores."""

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

import psutil
import pyarrow
import pyarrow.parquet as parquet

from benchmarks.memory import watch_peak
from benchmarks.texts import headlines
from finsent import REPOSITORY

CHUNK = 100_000  # rows that are written at a time
STEP = 8192  # rows: two slices of the classifier, so that two cores have as much to do
RAY_PARTS = 32  # of a run: enough to time actors by, where the parts of `local` are few
LOOK = 0.5  # seconds between two looks at the memory

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


def run_local(release: Path, rows: Path, cores: int) -> Run:
    """Run the command on this machine, with an output folder of its own."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        return run(_command(sys.executable, release, rows, folder, cores), cores, _told_rate)


def _command(python: str | Path, release: Path, rows: Path, folder: str, cores: int) -> list[str]:
    command = [str(python), "-m", "serving.bulk", str(release), str(rows), folder]
    return [*command, "--threads", str(cores)]


def _told_rate(said: str, errors: str) -> float:
    number, seconds = re.findall(r"([\d,]+) rows in ([\d.]+) s", errors)[-1]
    return int(number.replace(",", "")) / float(seconds)


def run_ray(python: Path, release: Path, rows: Path, cores: int) -> Run:
    """Run the command on Ray, with an actor a core; how fast they are is told by when parts are written."""
    part = parquet.read_metadata(rows).num_rows // RAY_PARTS
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        command = _command(python, release, rows, folder, cores)
        return run(
            [*command, "--engine", "ray", "--part-rows", str(part)],
            cores,
            lambda said, errors: steady_rate(
                [one.stat().st_mtime for one in Path(folder).glob("part-*")], part
            ),
        )


def steady_rate(written: list[float], part_rows: int) -> float:
    """Return rows a second while the later half of the parts was written: before, actors still start."""
    times = sorted(written)[len(written) // 2 :]
    return (len(times) - 1) * part_rows / (times[-1] - times[0])


def printed_rate(said: str, errors: str) -> float:
    """Return what a process printed, which is rows a second."""
    return float(said)


def choose_rows(release: Path, folder: Path, seconds: float) -> int:
    """Return how many rows one core has to do for about so many seconds, a multiple of STEP."""
    rows = write_rows(folder / "probe.parquet", 1024)
    rate = run(code_command(BARE_CODE, release, rows, 1), 1, printed_rate).rate
    return STEP * max(2, round(rate * seconds / STEP))


def code_command(code: str, release: Path, rows: Path, cores: int) -> list[str]:
    """Return the command that runs some code with this Python."""
    return [sys.executable, "-c", code, str(release), str(rows), str(cores)]
