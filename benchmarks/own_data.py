"""Measure the time and memory that it takes to read rows and split them, by the number of rows.

python -m benchmarks.own_data                                 write benchmarks/own_data.md
python -m benchmarks.own_data --sizes 10000 --output page.md  fewer rows, another page

The rows are generated from a seed: made-up words with the frequencies of a natural language, and every
twentieth text is nearly the same as an earlier one. Reading and splitting run in separate processes, so
each has its own peak of memory.
"""

from __future__ import annotations

import csv
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.machine import tell_machine
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.data.splits import load_splits
from finsent.recipe.file import load_recipe

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("own_data.md")
SIZES = "10000,100000,1200000"
LABELS = ("negative", "neutral", "positive")
WORDS = 30_000
NEAR = 20  # every so many texts one changes a word of an earlier one
RECIPE = """\
extends: {repository}/recipes/headlines.yaml
name: own-data
data:
  sources:
    - kind: table
      name: own
      title: made-up rows
      licence: cc0-1.0
      path: .
      files: {{train: [rows.csv]}}
      labels: {{negative: negative, neutral: neutral, positive: positive}}
"""


def make_texts(count: int, seed: int) -> Iterator[str]:
    """Yield texts of 8 to 45 words, 165 characters in the mean."""
    draw = random.Random(seed)
    syllables = ["".join(two) for two in itertools.product("bdfgklmnprstvz", "aeiou")]
    words = ["".join(draw.choices(syllables, k=draw.choice((1, 2, 2, 3, 3, 4)))) for _ in range(WORDS)]
    heaps = list(itertools.accumulate(1 / rank for rank in range(2, WORDS + 2)))  # Zipf's law
    earlier: list[list[str]] = []
    for number in range(count):
        if number % NEAR == NEAR - 1:
            text = list(draw.choice(earlier))
            text[draw.randrange(len(text))] = draw.choice(words)
        else:
            text = draw.choices(words, cum_weights=heaps, k=draw.randint(8, 45))
            if len(earlier) < 10_000:
                earlier.append(text)
        yield " ".join(text)


def write_rows(folder: Path, count: int) -> Path:
    """Write rows and their recipe into a folder and return the recipe."""
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((text, LABELS[at % 3]) for at, text in enumerate(make_texts(count, seed=7)))
    recipe = folder / "own.yaml"
    recipe.write_text(RECIPE.format(repository=REPOSITORY), encoding="utf-8")
    return recipe


def measure(recipe_file: Path, stage: str) -> dict[str, float]:
    """Return seconds, those of the processor too, and the peak memory of this process in megabytes."""
    recipe = load_recipe(recipe_file)
    start, worked = time.perf_counter(), time.process_time()
    if stage == "read":
        rows = len(read_source(recipe.data.sources[0], Places(home=recipe.home)).rows)
    else:
        splits = load_splits(recipe)
        rows = sum(len(part) for part in (splits.train, splits.validation, splits.test))
    return {
        "rows": rows,
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - worked,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,  # Linux tells kilobytes
    }


def measure_apart(recipe: Path, stage: str) -> dict[str, float]:
    """Return the same, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.own_data", "--stage", stage, "--recipe", str(recipe)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_size(count: int) -> str:
    """Return the line of the table for so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = write_rows(Path(folder), count)
        size = (Path(folder) / "rows.csv").stat().st_size / 1e6
        read, split = (measure_apart(recipe, stage) for stage in ("read", "splits"))
    return f"| {count:,} | {size:.0f} MB | {_tell(read)} | {_tell(split)} | {split['rows']:,.0f} |"


def _tell(found: dict[str, float]) -> str:
    return f"{found['seconds']:.1f} s | {found['processor']:.1f} s | {found['megabytes']:,.0f} MB"


def render(found: list[str]) -> str:
    """Return the page with the lines of the table that are measured by now."""
    lines = [
        "# Own data, by the number of rows",
        "",
        "Generated by `python -m benchmarks.own_data`: made-up texts of 8 to 45 words in three labels, every "
        "twentieth nearly the same as an earlier one; one CSV. Up to splits: reading, duplicates, "
        "near-duplicates, splits. Each figure is one run in a process of its own. Memory is the peak of that "
        "process, Python and libraries with it: they alone take most of what 10,000 rows show. Time by the "
        "clock is longer than that of the processor where other work shared it.",
        "",
        "| rows | file | reading | processor | memory | up to splits | processor | memory | rows in splits |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *found,
    ]
    measured = f"- Measured on {datetime.now(UTC):%Y-%m-%d}."
    return "\n".join([*lines, "", measured, *tell_machine()]) + "\n"


@app.command(help=app.info.help)
def main(
    sizes: Annotated[str, typer.Option(help="numbers of rows")] = SIZES,
    output: Annotated[Path, typer.Option(help="page to write; rewritten after every size")] = OUTPUT,
    stage: Annotated[str, typer.Option(hidden=True)] = "",
    recipe: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure every size and write the page."""
    if stage:
        print(json.dumps(measure(recipe, stage)))
        return
    found: list[str] = []
    for size in sizes.split(","):
        found.append(measure_size(int(size)))
        print(found[-1])
        output.write_text(render(found), encoding="utf-8")


if __name__ == "__main__":
    print_anywhere()
    app()
