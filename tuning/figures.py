"""The figures of a search, drawn from search.json: history, importance, slices, parallel coordinates."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from finsent.recipe.search import Range
from model_card.card.colours import BLUE, GREY, ORANGE
from model_card.card.figures import COLOURS, DPI
from tuning.folder import HISTORY, IMPORTANCE, PARALLEL, SLICES
from tuning.progress import short_key, tell_count, tell_value
from tuning.report import MEASURE, Report, Trial

MOST_COLUMNS = 3  # of slices
PALEST = 0.25  # of the colour map, so that the first and the worst still show on white


@dataclass(frozen=True)
class Scale:
    """Where the values of a key stand on an axis: numbers from 0 to 1, and what to write there."""

    places: list[float]
    ticks: dict[float, str]


def draw_figures(report: Report, folder: Path) -> list[Path]:
    """Write the PNG files and return them; importance is left out where it cannot be told.

    Trials whose settings were refused are not shown.
    """
    report = report.model_copy(update={"trials": report.tried})
    drawn = {
        HISTORY: draw_history(report),
        SLICES: draw_slices(report),
        PARALLEL: draw_parallel(report),
    }
    if report.importances:
        drawn[IMPORTANCE] = draw_importance(report)
    for name, figure in drawn.items():
        _save(figure, folder / name)
    return [folder / name for name in drawn]


def draw_history(report: Report) -> Figure:
    """Return the score of every trial in its order, the best so far, and the recipe as it is."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    done, stopped = _by_state(report)
    axes.plot(*_points(done), "o", color=BLUE, label="done")
    if stopped:
        axes.plot(*_points(stopped), "o", color=BLUE, fillstyle="none", label="stopped early")
    numbers, scores = _points(done)
    best = np.maximum.accumulate([*scores, *scores[-1:]])  # drawn to the last trial
    numbers += [trial.number for trial in report.trials[-1:] if done]
    axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    as_it_is = f"the recipe as it is, mean of {tell_count(len(report.seeds), 'seed')}"
    axes.axhline(report.start.mean, color=GREY, linestyle="--", linewidth=1, label=as_it_is)
    axes.set_xlabel("trial", fontsize=12)
    axes.set_ylabel(MEASURE, fontsize=12)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=2, fontsize=10, frameon=False)
    _title(axes, report)
    return figure


def _by_state(report: Report) -> tuple[list[Trial], list[Trial]]:
    done = [trial for trial in report.trials if trial.state == "done"]
    return done, [trial for trial in report.trials if trial.state != "done"]


def _points(trials: list[Trial]) -> tuple[list[int], list[float]]:
    return [trial.number for trial in trials], [trial.score for trial in trials]


def draw_importance(report: Report) -> Figure:
    """Return how much each key decides, the most important on top."""
    shares = sorted(report.importances.items(), key=lambda entry: entry[1])
    figure = Figure(figsize=(6.4, 1.4 + 0.4 * len(shares)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh([key for key, _ in shares], [share for _, share in shares], color=BLUE)
    axes.bar_label(bars, [f"{100 * share:.0f} %" for _, share in shares], padding=3, fontsize=10)
    axes.set_xlim(0, 1.1 * max(share for _, share in shares) or 1)
    axes.set_xlabel("share that the key decides (PED-ANOVA)", fontsize=12)
    _title(axes, report)
    return figure


def draw_slices(report: Report) -> Figure:
    """Return the score by each key alone; later trials are darker."""
    keys = list(report.space)
    columns = min(MOST_COLUMNS, len(keys))
    rows = math.ceil(len(keys) / columns)
    size = (0.6 + 3.1 * columns, 0.6 + 2.8 * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, key in zip(grid, keys, strict=False):
        _draw_slice(axes, report, key)
    for axes in grid[len(keys) :]:
        axes.set_visible(False)
    for axes in grid[::columns]:
        axes.set_ylabel("validation macro F1", fontsize=12)
    told = f"{_heading(report)}; later ones are darker, the best is orange"
    figure.suptitle(told, fontsize=11, parse_math=False)
    return figure


def _draw_slice(axes: Axes, report: Report, key: str) -> None:
    scale = place_values(report, key)
    shades = [PALEST + (1 - PALEST) * trial.number / len(report.trials) for trial in report.trials]
    scores = [trial.score for trial in report.trials]
    axes.scatter(
        scale.places, scores, c=shades, cmap=COLOURS, vmin=0, vmax=1, edgecolors=GREY, linewidths=0.5
    )
    for place, trial in zip(scale.places, report.trials, strict=True):
        if trial.number == report.best.trial:
            axes.plot(place, trial.score, "o", color=ORANGE, markersize=9)
    axes.set_xlim(-0.08, 1.08)
    axes.set_xticks(list(scale.ticks), list(scale.ticks.values()), fontsize=9, parse_math=False)
    axes.set_xlabel(short_key(key), fontsize=12, parse_math=False)


def draw_parallel(report: Report) -> Figure:
    """Return a line a trial through its settings to its score; the better, the darker."""
    keys = list(report.space)
    scales = [place_values(report, key) for key in keys]
    scores = np.array([trial.score for trial in report.trials])
    spread = scores.max() - scores.min() or 1.0
    heights = (scores - scores.min()) / spread
    figure = Figure(figsize=(2.2 + 1.5 * (len(keys) + 1), 4.8), layout="constrained")
    axes = figure.add_subplot()
    for at, trial in enumerate(report.trials):
        line = [*(scale.places[at] for scale in scales), heights[at]]
        axes.plot(range(len(line)), line, **_line_style(trial, report, heights[at]))
    ends = {0.0: f"{scores.min():.3f}", 1.0: f"{scores.max():.3f}"}
    for at, ticks in enumerate([*(scale.ticks for scale in scales), ends]):
        _draw_axis(axes, at, ticks)
    names = [*map(short_key, keys), "macro F1"]
    axes.set_xticks(
        range(len(names)), [name.replace(".", "\n").replace("_", "\n") for name in names], fontsize=10
    )
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set_visible(False)
    axes.set_xlim(-0.2, len(names) - 0.4)
    _title(axes, report)
    return figure


def _line_style(trial: Trial, report: Report, height: float) -> dict[str, Any]:
    if trial.number == report.best.trial:
        return {"color": ORANGE, "linewidth": 2.5, "zorder": 3}
    return {"color": BLUE, "alpha": PALEST + (1 - PALEST) * height, "linewidth": 1.2}


def _draw_axis(axes: Axes, at: int, ticks: dict[float, str]) -> None:
    axes.axvline(at, color=GREY, linewidth=1, zorder=0)
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    for place, told in ticks.items():
        text = axes.text(at + 0.04, place, told, fontsize=9, va="center", bbox=behind, parse_math=False)
        text.set_zorder(4)


def place_values(report: Report, key: str) -> Scale:
    """Return where the values of a key stand that the trials had; logarithms where it is drawn by them."""
    values, found = report.space[key], [trial.settings[key] for trial in report.trials]
    if values.kind == "choice":
        return _place_choices(values, found)
    low, high = (_measure(end, values) for end in values.values)
    ticks = (
        [*values.values] if values.kind != "log" else [values.values[0], _middle(values), values.values[1]]
    )
    return Scale(
        places=[(_measure(one, values) - low) / (high - low) for one in found],
        ticks={(_measure(one, values) - low) / (high - low): tell_value(one) for one in ticks},
    )


def _place_choices(values: Range, found: list[Any]) -> Scale:
    order = [json.dumps(one) for one in values.values]
    last = len(order) - 1
    return Scale(
        places=[order.index(json.dumps(one)) / last for one in found],
        ticks={at / last: tell_value(one) for at, one in enumerate(values.values)},
    )


def _measure(value: float, values: Range) -> float:
    return math.log(value) if values.kind == "log" else float(value)


def _middle(values: Range) -> float:
    low, high = values.values
    return math.sqrt(low * high)


def _heading(report: Report) -> str:
    return f"{report.name}, {tell_count(len(report.trials), 'trial')}"


def _title(axes: Axes, report: Report) -> None:
    axes.set_title(_heading(report), fontsize=11, parse_math=False)


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG without the metadata (date, version) that would make two runs differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
