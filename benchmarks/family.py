"""Compare the finsent family with the alternatives, in one process: quality, size and speed.

python -m benchmarks.family                          runs/finsent-small, -base, -tiny and -nano
python -m benchmarks.family finsent-tiny --texts 500

It writes benchmarks/family.md and the figure family.svg. Set FINSENT_MIRROR to the folder with the data
sets. All methods, including word counts (TF-IDF with a linear SVM), are scored on the releases' test rows,
and none was trained on them. A model called BERT-base has that shape and random weights; only its speed is
measured.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import matplotlib as mpl
import numpy as np
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from rich.console import Console

from benchmarks.baselines import Predict, Way, bare, neural_ways, save_bert_base, vader, word_counts
from benchmarks.machine import tell_run
from benchmarks.published import PHRASEBANK, tell_published
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere
from finsent.data.rows import Row
from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.mirror import mirror_from_environment
from finsent.onnx_files import FP32
from finsent.preparation import prepare_splits
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import RECIPE
from finsent.scoring import Scores, score

app = make_app(__doc__)

FOLDER = Path(__file__).parent
FAMILY = ("finsent-small", "finsent-base", "finsent-tiny", "finsent-nano")
BATCH = 32
THREADS = (1, 2)
BLOCK = 20  # texts that a way classifies before the next has its turn
WARM_UP = 20
SLOW_BYTES = 100_000_000  # larger files are timed on fewer batches
SLOW_SHARE = 50  # namely on every fiftieth
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"  # Okabe and Ito: distinct for colour-blind readers

MOST_SHOWN = 0.2  # of macro F1, below the best
_SMALL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9}

SLICED = ("fpb",)  # sources whose slices have a table
AGREEMENT = {
    "fpb/agreement_50": "50 to 65",
    "fpb/agreement_66": "66 to 74",
    "fpb/agreement_75": "75 to 99",
    "fpb/agreement_all": "100",
}

Quality = dict[str, Scores]  # by source, "all" first, then by slice


@dataclass(frozen=True)
class Speed:
    """Seconds a text: one at a time (median), then in batches of like length and as they come."""

    one: float
    sorted: float
    as_they_come: float


def time_ways(ways: list[Way], threads: int, texts: list[str], singles: int) -> dict[str, Speed]:
    """Time every way: `singles` of the texts in turns of BLOCK, then all in batches, way after way."""
    ready = {way.name: way.build(threads) for way in ways}
    torch.set_num_threads(threads)
    one: dict[str, list[float]] = {name: [] for name in ready}
    for predict in ready.values():
        for text in texts[:WARM_UP]:
            predict([text])
    alone = texts[:: max(1, len(texts) // singles)][:singles]  # from all sources, as the batches are
    for start in range(0, len(alone), BLOCK):
        for name, predict in ready.items():
            one[name] += [_clock(predict, [text]) for text in alone[start : start + BLOCK]]
    found = {}
    by_length = sorted(texts, key=len)
    for way in ways:
        step = SLOW_SHARE if way.bytes >= SLOW_BYTES else 1
        found[way.name] = Speed(
            float(np.median(one[way.name])),
            _rate(ready[way.name], by_length, step),
            _rate(ready[way.name], texts, step),
        )
    return found


def _rate(predict: Predict, texts: list[str], step: int) -> float:
    """Return the seconds a text over every so many batches, from the middle of the first such stretch on."""
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    chosen = [batches[place] for place in _timed(len(batches), step)]
    return sum(_clock(predict, batch) for batch in chosen) / sum(map(len, chosen))


def _timed(batches: int, step: int) -> range:
    return range(min(step, batches) // 2, batches, step)


def _clock(predict: Predict, batch: list[str]) -> float:
    started = time.perf_counter()
    predict(batch)
    return time.perf_counter() - started


def judge(predict: Predict, rows: list[Row], recipe: Recipe) -> Quality:
    """Score predictions, probabilities or class numbers, on the test rows.

    They are scored together under `all`, then by source, then by slice of the sources in `SLICED`.
    """
    found = np.concatenate(
        [
            np.asarray(predict([row.text for row in rows[at : at + BATCH]]))
            for at in range(0, len(rows), BATCH)
        ]
    )
    if found.ndim == 1:
        found = np.eye(len(recipe.labels))[found]
    labels = np.array([recipe.labels.index(row.label) for row in rows])
    sources = np.array([row.source for row in rows])
    slices = np.array([f"{row.source}/{row.slice}" if row.source in SLICED else "" for row in rows])
    chosen = {"all": np.ones(len(rows), dtype=bool)}
    chosen |= {name: sources == name for name in dict.fromkeys(sources)}
    chosen |= {name: slices == name for name in sorted(set(slices) - {""})}
    return {
        str(name): score(
            found[inside], labels[inside], recipe.labels, recipe.evaluation.bootstrap, recipe.seed
        )
        for name, inside in chosen.items()
    }


def draw(ways: list[Way], qualities: dict[str, Quality], speeds: dict[str, Speed]) -> Figure:
    """Return two panels: macro F1 against size, and against the time of one headline.

    What is far below the rest stands at the lower edge with its figure, so that the rest can be told apart.
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    known = [way for way in ways if way.quality]
    sizes = {way.quality: way.bytes / 1e6 for way in known}
    fastest = {quality: min(_ms(way, speeds) for way in known if way.quality == quality) for quality in sizes}
    lows = [quality["all"].macro_f1_interval.low for quality in qualities.values()]
    highs = [quality["all"].macro_f1_interval.high for quality in qualities.values()]
    floor = max(highs) - MOST_SHOWN
    left.set_ylim(min(low for low in lows if low > floor) - 0.02, max(highs) + 0.02)
    _scatter(left, sizes, qualities, "MB on disk")
    _scatter(right, fastest, qualities, "ms a headline, one thread")
    for way in ways:
        if not way.quality:
            _mark(right, _ms(way, speeds), way.name)
    if shapes := [way for way in ways if not way.quality]:
        _mark(left, shapes[0].bytes / 1e6, shapes[0].name.partition(",")[0])
    left.set_ylabel("macro F1, all test rows, 95 % interval")
    return figure


def _ms(way: Way, speeds: dict[str, Speed]) -> float:
    return 1000 * speeds[way.name].one


def _mark(axes: Axes, place: float, name: str) -> None:
    axes.axvline(place, color=GREY, linestyle=":", linewidth=1)
    axes.annotate(
        name, (place, axes.get_ylim()[0]), (-3, 4), rotation=90, color=GREY, ha="right", va="bottom", **_SMALL
    )


def _scatter(axes: Axes, places: dict[str, float], qualities: dict[str, Quality], title: str) -> None:
    edge = axes.get_ylim()[0]
    for name, place in places.items():
        scores = qualities[name]["all"]
        colour = BLUE if name.startswith("finsent") else ORANGE
        if scores.macro_f1 < edge:
            axes.plot(place, edge, "v", color=colour, clip_on=False)
            axes.annotate(f"{name} {scores.macro_f1:.2f}", (place, edge), (6, 4), **_SMALL)
            continue
        interval = scores.macro_f1_interval
        axes.plot([place, place], [interval.low, interval.high], color=colour, linewidth=1.5)
        axes.plot(place, scores.macro_f1, "o", color=colour)
        ours = colour == BLUE and not name.endswith("fp32")  # the others' names go below, clear of ours
        height, offset, side = (interval.high, 3, "bottom") if ours else (interval.low, -3, "top")
        axes.annotate(name, (place, height), (0, offset), ha="center", va=side, **_SMALL)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(title)
    axes.grid(visible=True, which="major", color="#e0e0e0", linewidth=0.6)
    axes.margins(x=0.22)


def render(
    recipe: Recipe,
    ways: list[Way],
    qualities: dict[str, Quality],
    times: dict[int, dict[str, Speed]],
    texts: int,
    singles: int,
    last: list[str],
) -> str:
    """Return the page: quality by source, then speed by threads and batches, then the `last` lines."""
    first = next(iter(qualities.values()))
    sources = [name for name in first if "/" not in name]
    lines = [
        "# The family beside what else one could run",
        "",
        f"Generated by `python -m benchmarks.family --texts {texts} --singles {singles}` in one process: "
        f"single texts by the ways in turns of {BLOCK}, batches one way after the other.",
        "",
        "![macro F1 against size and time](family.svg)",
        "",
        f"Accuracy / macro F1 on the test rows of `{recipe.name}`"
        f" ({', '.join(f'{name} {first[name].n:,}' for name in sources)}).",
        "The family by its quantized files unless fp32 is said; TF-IDF is fitted to the same training rows.",
        "",
        f"| what | {' | '.join(sources)} | MB |",
        f"| --- |{' --- |' * len(sources)} --- |",
    ]
    sizes = {way.quality: way.bytes for way in ways}
    for name, quality in qualities.items():
        cells = [f"{quality[source].accuracy:.3f} / {quality[source].macro_f1:.3f}" for source in sources]
        lines.append(f"| {name} | {' | '.join(cells)} | {sizes[name] / 1e6:.1f} |")
    lines += _tell_slices(qualities)
    lines += _tell_calibration(qualities, sources, [way.quality for way in ways if way.scores])
    if "fpb" in sources:
        lines += _tell_others()
    lines += [
        "",
        f"Milliseconds a text, tokenizer included. Sorted: {texts:,} texts of all sources but the headlines,",
        f"in batches of {BATCH} of like length. Padded: the same texts as they come. One: the median of",
        f"{singles} of them, evenly drawn, one by one. In brackets: times faster than the first row.",
        "",
        "| way | MB | " + " | ".join(f"one, {n} thr. | sorted, {n} | padded, {n}" for n in times) + " |",
        f"| --- | --- |{' --- |' * 3 * len(times)}",
    ]
    for way in ways:
        cells = []
        for found in times.values():
            mine, yardstick = found[way.name], found[ways[0].name]
            for key in ("one", "sorted", "as_they_come"):
                value = getattr(mine, key)
                cells.append(f"{1000 * value:.2f} ({getattr(yardstick, key) / value:.1f})")
        lines.append(f"| {way.name} | {way.bytes / 1e6:.1f} | {' | '.join(cells)} |")
    batches = math.ceil(texts / BATCH)
    lines += [
        "",
        f"- In batches, files of {SLOW_BYTES / 1e6:.0f} MB and more are timed on every {SLOW_SHARE}th batch, "
        f"{len(_timed(batches, SLOW_SHARE))} of {batches} here. "
        "The weights of BERT-base's shape are random.",
        *last,
    ]
    return "\n".join(lines) + "\n"


def _tell_slices(qualities: dict[str, Quality]) -> list[str]:
    first = next(iter(qualities.values()))
    slices = [name for name in first if "/" in name]
    if not slices:
        return []
    rows = ", ".join(f"{first[name].n:,}" for name in slices)
    return [
        "",
        f"Accuracy on Financial PhraseBank by the percentage of annotators who agreed ({rows} rows):",
        "",
        f"| what | {' | '.join(AGREEMENT.get(name, name) for name in slices)} |",
        f"| --- |{' --- |' * len(slices)}",
        *(
            f"| {name} | {' | '.join(f'{quality[part].accuracy:.3f}' for part in slices)} |"
            for name, quality in qualities.items()
        ),
    ]


def _tell_calibration(qualities: dict[str, Quality], sources: list[str], scored: list[str]) -> list[str]:
    """Return the table of those that give probabilities, whose names are `scored`."""
    rows = [
        f"| {name} | {' | '.join(_calibration(quality[source]) for source in sources)} |"
        for name, quality in qualities.items()
        if name in scored
    ]
    if not rows:
        return []
    shares = [
        "PhraseBank's rows teach what share of the annotators agreed, so scores are meant to be lower there."
    ]
    return [
        "",
        "Expected calibration error, and in brackets by how much scores are on average below (-) or above",
        "(+) the accuracy.",
        *(shares if "fpb" in sources else []),
        "",
        f"| what | {' | '.join(sources)} |",
        f"| --- |{' --- |' * len(sources)}",
        *rows,
    ]


def _calibration(scores: Scores) -> str:
    return f"{scores.ece:.3f} ({scores.mean_score - scores.accuracy:+.3f})"


def _tell_others() -> list[str]:
    return [
        "",
        "What others publish for Financial PhraseBank. **These are their figures, not measured here.** They",
        "are of other rows than ours, so a difference of a few points says nothing.",
        "",
        *tell_published(PHRASEBANK),
    ]


def measure_quality(releases: list[Path], splits: Splits, recipe: Recipe) -> dict[str, Quality]:
    """Return the quality of each release's quantized file by its name, and of the first in fp32."""
    judges: dict[str, Predict] = {release.parent.name: bare(release, 1) for release in releases}
    judges[f"{releases[0].parent.name} fp32"] = bare(releases[0], 1, FP32.path)
    return {name: judge(predict, splits.test, recipe) for name, predict in judges.items()}


@app.command(help=app.info.help)
def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="releases; the others are compared with the first")
    ] = None,
    runs: Annotated[Path, typer.Option(help="folder with the releases")] = REPOSITORY / "runs",
    texts: Annotated[int, typer.Option(help="headlines to classify in batches")] = 10_000,
    singles: Annotated[int, typer.Option(help="how many of these to classify one by one")] = 400,
) -> None:
    """Measure, then write the page and the figure."""
    try:
        run([runs / name / "release" for name in names or FAMILY], texts, singles)
    except FinsentError as error:
        print(f"family: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def common_recipe(releases: list[Path]) -> Recipe:
    """Return the first one's recipe; FinsentError if another has other labelled rows."""
    recipe = read_released_recipe(releases[0] / RECIPE)
    for release in releases[1:]:
        other = read_released_recipe(release / RECIPE)
        if not other.data.with_same_rows(recipe.data) or other.seed != recipe.seed:
            raise FinsentError(f"{release}: has other rows than {releases[0]}; scores do not compare")
    return recipe


def run(releases: list[Path], texts: int, singles: int) -> None:
    """Measure `releases`, the one to compare with first, and write the page and the figure.

    Raises FinsentError: a release is missing, or has other rows than the first.
    """
    recipe = common_recipe(releases)
    splits = prepare_splits(recipe, mirror_from_environment())
    real = [row.text for row in splits.test + splits.train if row.source != "headlines"][:texts]
    with tempfile.TemporaryDirectory() as folder:
        ways = neural_ways(releases, save_bert_base(Path(folder), releases[0]))
        qualities = measure_quality(releases, splits, recipe)
        for way, predict in (word_counts(splits.train, recipe.labels), vader(recipe.labels)):
            ways.append(way)
            qualities[way.quality] = judge(predict, splits.test, recipe)
        times = {threads: time_ways(ways, threads, real, singles) for threads in THREADS}
    mpl.rcParams["svg.hashsalt"] = "finsent"
    figure = draw(ways, qualities, times[1])
    FigureCanvasSVG(figure).print_svg(FOLDER / "family.svg", metadata={"Date": None})
    page = render(recipe, ways, qualities, times, len(real), singles, tell_run(releases))
    (FOLDER / "family.md").write_text(page, encoding="utf-8")
    Console().print(page, markup=False, soft_wrap=True)


if __name__ == "__main__":
    print_anywhere()
    app()
