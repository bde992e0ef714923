"""What it costs to bring somebody's own rows to splits, by how many there are.

python -m benchmarks.own_data                       10,000 to 1,200,000 rows; writes benchmarks/own_data.md
python -m benchmarks.own_data --sizes 10000,100000  fewer, printed and not written

The rows are made up here from a seed: words of drawn syllables, as often as words of a language are, every
twentieth text nearly the same as one before it. Reading, and all up to splits, run in processes of their own,
so that each has its own peak of memory.
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
from finsent.cli import print_anywhere
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.data.splits import load_splits
from finsent.recipe.file import load_recipe

OUTPUT = Path(__file__).with_name("own_data.md")
SIZES = "10000,100000,1000000,1200000"
LABELS = ("negative", "neutral", "positive")
WORDS = 30_000
NEAR = 20  # every so many texts one changes a word of an earlier one
RECIPE = """\
extends: {repository}/recipes/quickstart.yaml
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
    """Return seconds and the peak memory of this process, in megabytes, for one stage."""
    recipe = load_recipe(recipe_file)
    before, start = _peak(), time.perf_counter()
    if stage == "read":
        rows = len(read_source(recipe.data.sources[0], Places(home=recipe.home)).rows)
    else:
        splits = load_splits(recipe)
        rows = sum(len(part) for part in (splits.train, splits.validation, splits.test))
    return {"rows": rows, "seconds": time.perf_counter() - start, "megabytes": _peak(), "before": before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # Linux tells kilobytes


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
    return (
        f"| {count:,} | {size:.0f} MB | {read['seconds']:.1f} s | {read['megabytes']:,.0f} MB "
        f"| {split['seconds']:.1f} s | {split['megabytes']:,.0f} MB | {split['rows']:,.0f} |"
    )


def main(
    sizes: Annotated[str, typer.Option(help="numbers of rows")] = SIZES,
    stage: Annotated[str, typer.Option(hidden=True)] = "",
    recipe: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure every size and write benchmarks/own_data.md."""
    if stage:
        print(json.dumps(measure(recipe, stage)))
        return
    lines = [
        "# Own data, by the number of rows",
        "",
        "Generated by `python -m benchmarks.own_data`: made-up texts of 8 to 45 words in three labels, every "
        "twentieth nearly the same as an earlier one; one CSV. Up to splits: reading, duplicates, "
        "near-duplicates, splits. Each figure is one run in a process of its own. Memory is the peak of that "
        "process, Python and the libraries with it: they alone take most of what 10,000 rows show.",
        "",
        "| rows | file | reading | its memory | up to splits | its memory | rows in splits |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size in sizes.split(","):
        lines.append(measure_size(int(size)))
        print(lines[-1], file=sys.stderr)
    page = "\n".join([*lines, "", f"- Measured on {datetime.now(UTC):%Y-%m-%d}.", *tell_machine()]) + "\n"
    if sizes == SIZES:
        OUTPUT.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
