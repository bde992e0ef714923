"""The figures of the card, drawn from metrics.json: scores, the learning curve, what words did.

matplotlib's Agg canvas is used directly, without pyplot, so nothing global changes and no display is needed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from finsent import release
from finsent.scoring import Scores
from finsent.training.report import Evaluation
from model_card.card.colours import BLUE, GREY, ORANGE
from model_card.card.explanation_figures import draw_explanations
from model_card.card.fonts import choose_fonts, drawable
from model_card.measure.abstention import Abstention
from model_card.measure.metrics_file import Metrics, VariantFigures

DPI = 160
COLOURS = "Blues"  # lightness alone carries the value
LABEL_WIDTH = 12  # characters of a class name on one line
MOST_UPRIGHT = 6  # class names side by side below a matrix; more of them are turned
WIDEST_CELL, WIDEST_MATRIX = 1.15, 12.0  # inches
NARROWEST_TOLD = 0.5  # inches of a cell that still holds its numbers; narrower ones have their shade alone


def draw_figures(metrics: Metrics, folder: Path) -> None:
    """Write the PNG files below `folder`; the same figures give the same bytes."""
    default = metrics.variant(metrics.default_variant)
    _save(draw_confusion(default.scores, default.file), folder / release.CONFUSION_FIGURE)
    _save(draw_reliability(default.scores, default.file), folder / release.RELIABILITY_FIGURE)
    if metrics.abstention is not None:
        _save(draw_coverage(metrics.abstention, default), folder / release.COVERAGE_FIGURE)
    if metrics.training.curve:
        _save(draw_curve(metrics.training.curve), folder / release.LEARNING_FIGURE)
    for name, figure in draw_explanations(metrics).items():
        _save(figure, folder / name)


def draw_confusion(scores: Scores, file: str) -> Figure:
    """Return the confusion matrix: counts, with the share of each true class as shade and number."""
    names = list(scores.per_class)
    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = min(WIDEST_CELL, WIDEST_MATRIX / len(names))
    size = 2.6 + cell * len(names)
    figure = Figure(figsize=(size, size * 0.86), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    if cell >= NARROWEST_TOLD:
        _tell_cells(axes, counts, shares, fontsize=12 * cell / WIDEST_CELL)
    _label_classes(axes, names, fontsize=max(6, 11 * cell / WIDEST_CELL))
    axes.set_title(f"{file}, n = {scores.n:,}", fontsize=11, parse_math=False)
    figure.colorbar(image, ax=axes, fraction=0.046, label="share of the true class")
    return figure


def _tell_cells(axes: Axes, counts: Any, shares: Any, fontsize: float) -> None:  # noqa: ANN401  (numpy)
    for (row, column), count in np.ndenumerate(counts):
        if not count and len(counts) > MOST_UPRIGHT:
            continue  # zeros would hide the others
        share = shares[row, column]
        colour = "white" if share > 0.55 else "black"
        text = f"{count:,}\n{100 * share:.1f} %"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=fontsize)


def _label_classes(axes: Axes, names: list[str], fontsize: float) -> None:
    fonts = choose_fonts(names)
    shown = [drawable(name, number, fonts) for number, name in enumerate(names)]
    turned: dict[str, Any] = {}
    if len(names) > MOST_UPRIGHT:
        turned = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
    else:
        shown = ["\n".join(textwrap.wrap(name, LABEL_WIDTH)) or name for name in shown]
    style: dict[str, Any] = {"fontsize": fontsize, "fontfamily": fonts.families, "parse_math": False}
    axes.set_xticks(range(len(names)), shown, **style, **turned)
    axes.set_yticks(range(len(names)), shown, **style)
    axes.set_xlabel("predicted", fontsize=12)
    axes.set_ylabel("true", fontsize=12)
    axes.tick_params(length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)


def draw_reliability(scores: Scores, file: str) -> Figure:
    """Return accuracy by confidence, with a 95 % interval a bin, over the number of rows in each bin."""
    count, accuracy, confidence = (
        np.array(values)
        for values in (scores.reliability.count, scores.reliability.accuracy, scores.reliability.confidence)
    )
    filled = count > 0
    figure = Figure(figsize=(6.4, 6.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    upper.errorbar(
        confidence[filled],
        accuracy[filled],
        yerr=wilson_errors(accuracy[filled], count[filled]),
        color=BLUE,
        marker="o",
        capsize=3,
        label="test rows, 95 % interval",
    )
    upper.set_ylabel("share that is right", fontsize=12)
    upper.set_ylim(0, 1.02)
    upper.legend(loc="upper left", fontsize=10, frameon=False)
    title = f"{file}, n = {scores.n:,}, ECE = {scores.ece:.3f}"
    upper.set_title(title, fontsize=11, parse_math=False)
    _draw_counts(lower, count)
    return figure


def _draw_counts(axes: Axes, count: Any) -> None:  # noqa: ANN401  (numpy array of integers)
    edges = np.linspace(0, 1, len(count) + 1)
    axes.bar(edges[:-1], count, width=np.diff(edges), align="edge", color=ORANGE, edgecolor="white")
    axes.set_xlim(0, 1)
    axes.set_ylabel("rows", fontsize=12)
    axes.set_xlabel("confidence in the predicted label", fontsize=12)


def draw_coverage(abstention: Abstention, default: VariantFigures) -> Figure:
    """Return the error of the answered test rows by the share of rows answered, with the threshold marked."""
    coverage, error = np.array(abstention.curve.coverage), np.array(abstention.curve.error)
    below, above = wilson_errors(error, coverage * default.scores.n)
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(coverage, error - below, error + above, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(coverage, error, color=BLUE, label="test rows, 95 % interval")
    wanted = f"at most {100 * abstention.target_error:g} % on validation rows"
    axes.axhline(abstention.target_error, color=GREY, linestyle="--", linewidth=1, label=wanted)
    if abstention.threshold is not None and abstention.test and abstention.test.error is not None:
        point = (abstention.test.coverage, abstention.test.error)
        axes.plot(*point, "o", color=ORANGE, markersize=9, label=f"threshold {abstention.threshold:.3f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, max(0.05, 1.15 * float((error + above).max())))
    axes.set_xlabel("share of rows answered, most confident first", fontsize=12)
    axes.set_ylabel("share of answers that is wrong", fontsize=12)
    axes.legend(loc="upper left", fontsize=10, frameon=False)
    axes.set_title(f"{default.file}, n = {default.scores.n:,}", fontsize=11, parse_math=False)
    return figure


def draw_curve(curve: Sequence[Evaluation]) -> Figure:
    """Return both losses by step, over macro F1 on the validation rows with the best of them marked."""
    steps = [one.step for one in curve]
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.plot(steps, [one.train_loss for one in curve], color=GREY, marker="o", label="training")
    upper.plot(steps, [one.validation_loss for one in curve], color=BLUE, marker="s", label="validation")
    upper.set_ylabel("loss", fontsize=12)
    upper.set_ylim(bottom=0)
    upper.legend(fontsize=10, frameon=False)
    scores = [one.validation_macro_f1 for one in curve]
    best = int(np.argmax(scores))  # the first, as the Trainer keeps it
    lower.plot(steps, scores, color=BLUE, marker="s")
    lower.plot(steps[best], scores[best], "o", color=ORANGE, markersize=11, label="kept", zorder=3)
    lower.set_ylabel("macro F1, validation", fontsize=12)
    lower.set_xlabel("step", fontsize=12)
    lower.legend(fontsize=10, frameon=False)
    return figure


def wilson_errors(shares: Any, counts: Any) -> Any:  # noqa: ANN401  (numpy arrays)
    """Return distances `(2, n)` from shares to their 95 % Wilson interval, below and above.

    https://www.jstor.org/stable/2276774
    """
    z = 1.959964
    middle = (shares + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z * np.sqrt(shares * (1 - shares) / counts + z**2 / (4 * counts**2)) / (1 + z**2 / counts)
    return np.maximum(np.stack([shares - (middle - half), middle + half - shares]), 0)


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG without the metadata (date, version) that would make two runs differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
