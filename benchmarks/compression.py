"""Compare ways to make one encoder smaller, at equal file size: by cuts, and by quantization.

python -m benchmarks.compression recipes/quickstart.yaml                          all rows and epochs
python -m benchmarks.compression recipes/quickstart.yaml --rows 1500 --epochs 3   a short version

The recipe's encoder is trained whole, and once for every way to cut it: layers, inner neurons, pieces, rank
of the table. Each cut is so large that its int8 file has about `--bytes` bytes. By default, that is the size
of the whole int8 file with its table in 4 bits. Training uses labels alone. Scores are for the recipe's
validation rows. One training row in eight chooses the checkpoint instead, and test rows are not looked at.
What was trained stays in `--runs`, and the same command continues where it stopped. It writes
benchmarks/compression.md and the figure compression.svg. FINSENT_MIRROR is searched before the Hub.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import matplotlib as mpl
import numpy as np
import typer
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.baselines import Predict, Way
from benchmarks.compression_runs import Measured, Setup, measure_cuts, measure_whole, prepare, read_shape
from benchmarks.family import BLUE, GREY, ORANGE, time_ways
from benchmarks.machine import tell_machine
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere, quiet_libraries
from finsent.errors import FinsentError
from finsent.recipe.file import load_recipe
from finsent.scoring import Scores, mcnemar, score
from inference.classifier import Classifier

app = make_app(__doc__)

PAGE = Path(__file__).with_suffix(".md")
TARGET = "int8, table of 4 bits"  # the file whose bytes the cuts aim at
TIMED = 200  # texts, one at a time in turns


@dataclass(frozen=True)
class Line:
    """A file beside the reference: rows that it or the reference alone has right, and McNemar's p."""

    measured: Measured
    scores: Scores
    milliseconds: float
    better: int
    worse: int
    p: float


def compare(setup: Setup, found: list[Measured]) -> list[Line]:
    """Score all files, the first of which is the reference, and time them in turns on one thread."""
    names = setup.recipe.labels
    labels = np.array([names.index(row.label) for row in setup.scored])
    answers = [np.array(one.probabilities) for one in found]
    right = [probabilities.argmax(axis=1) == labels for probabilities in answers]
    seconds = time_files(found, [row.text for row in setup.scored])
    lines = []
    for one, probabilities, mine in zip(found, answers, right, strict=True):
        scores = score(probabilities, labels, names, setup.recipe.evaluation.bootstrap, setup.recipe.seed)
        better, worse = int((mine & ~right[0]).sum()), int((~mine & right[0]).sum())
        lines.append(Line(one, scores, 1000 * seconds[one.name], better, worse, mcnemar(better, worse)))
    return lines


def time_files(found: list[Measured], texts: list[str]) -> dict[str, float]:
    """Return the median seconds of one text, by name."""
    ways = [Way(one.name, one.bytes, partial(load, one)) for one in found]
    return {name: speed.one for name, speed in time_ways(ways, 1, texts[:TIMED], TIMED).items()}


def load(one: Measured, threads: int) -> Predict:
    """Return what classifies with a measured file."""
    return Classifier(one.folder, one.file, threads=threads).predict


def draw(lines: list[Line]) -> Figure:
    """Return macro F1 with its 95 % interval, a row a file; the dotted line is the reference."""
    figure = Figure(figsize=(8, 0.8 + 0.4 * len(lines)), layout="constrained")
    axes = figure.subplots()
    for row, line in enumerate(lines):
        scores, interval = line.scores, line.scores.macro_f1_interval
        colour = ORANGE if line.measured.name.startswith("fewer") else BLUE
        axes.plot([interval.low, interval.high], [row, row], color=colour, linewidth=1.5, alpha=0.5)
        axes.plot(scores.macro_f1, row, "o", color=colour)
    names = [f"{line.measured.name}, {line.measured.bytes / 1e6:.1f} MB" for line in lines]
    axes.set_yticks(range(len(lines)), names)
    axes.invert_yaxis()
    axes.axvline(lines[0].scores.macro_f1, color=GREY, linestyle=":", linewidth=1)
    axes.set_xlabel(f"macro F1, 95 % interval (dotted: {lines[0].measured.name})")
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.6)
    return figure


def render(setup: Setup, lines: list[Line], target: int, reasons: list[str], last: list[str]) -> str:
    """Return the page: how it was measured, a row a file, and what could not be."""
    recipe = setup.recipe
    page = [
        "# Ways to make one encoder smaller, at equal bytes",
        "",
        f"Generated by `python -m benchmarks.compression`: recipe `{recipe.name}`, "
        f"{len(setup.splits.train):,} training rows, {recipe.training.epochs:g} epochs, labels alone, one "
        f"training a cut. Scored are {len(setup.scored):,} validation rows, which chose nothing. The cuts "
        f"aim at {target / 1e6:.1f} MB in int8; `layers` go in whole ones. Milliseconds: median of "
        f"{min(TIMED, len(setup.scored))} texts, one at a time in turns, one thread. Alone right: rows that "
        f"this file has right and `{lines[0].measured.name}` has not, and the other way round; p is of "
        "McNemar's exact test on them.",
        "",
        "![macro F1 of every file](compression.svg)",
        "",
        "| file | what stays | MB | million parameters | accuracy | macro F1 | ms | alone right | p |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(line) for line in lines),
        "",
        *(f"- Not possible: {reason}" for reason in reasons),
        *last,
    ]
    return "\n".join(page) + "\n"


def _row(line: Line) -> str:
    one, scores = line.measured, line.scores
    interval = scores.macro_f1_interval
    cells = [
        one.name,
        one.stays,
        f"{one.bytes / 1e6:.1f}" if one.bytes > 1e6 else f"{one.bytes / 1e6:.3f}",
        f"{one.parameters / 1e6:.1f}",
        f"{scores.accuracy:.3f}",
        f"{scores.macro_f1:.3f} ({interval.low:.3f} to {interval.high:.3f})",
        f"{line.milliseconds:.2f}",
        f"{line.better} : {line.worse}",
        f"{line.p:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def run(setup: Setup, target: int | None, runs: Path, page: Path) -> None:
    """Train what is missing, then write the page and the figure."""
    shape = read_shape(setup)  # first, as it refuses what cannot be cut
    whole = measure_whole(setup, runs)
    sizes = {one.name: one for one in whole}
    aim = target or sizes[TARGET].bytes
    if aim >= sizes["int8"].bytes:
        raise FinsentError(
            f"--bytes: got {aim:,}, but the whole int8 file has {sizes['int8'].bytes:,}; give fewer"
        )
    cuts, reasons = measure_cuts(setup, shape, sizes["int8"], aim, runs)
    lines = compare(setup, [*whole, *cuts])
    with mpl.rc_context({"svg.hashsalt": "finsent"}):  # or its ids, and so its bytes, would differ each time
        figure = draw(lines)
        FigureCanvasSVG(figure).print_svg(page.with_suffix(".svg"), metadata={"Date": None})
    told = [f"- Measured on {datetime.now(UTC):%Y-%m-%d}.", *tell_machine()]
    page.write_text(render(setup, lines, aim, reasons, told), encoding="utf-8")


@app.command(help=app.info.help)
def main(
    recipe_file: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="recipe with the encoder to cut, a BERT")
    ],
    target: Annotated[int | None, typer.Option("--bytes", min=1, help="target size in bytes")] = None,
    rows: Annotated[int | None, typer.Option(min=2, help="train on at most so many rows")] = None,
    epochs: Annotated[float | None, typer.Option(min=0.01, max=100, help="default: the recipe's")] = None,
    runs: Annotated[Path, typer.Option(help="folder for trained models")] = (
        REPOSITORY / "runs" / "compression"
    ),
    page: Annotated[Path, typer.Option(help="page to write; the figure goes beside it")] = PAGE,
) -> None:
    """Train, compare, and write the page."""
    quiet_libraries()
    try:
        run(prepare(load_recipe(recipe_file), rows, epochs), target, runs, page)
    except (FinsentError, OSError) as error:
        print(f"compression: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    print_anywhere()
    app()
