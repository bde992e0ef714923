"""Pictures of explanations: texts with their words coloured, and where attention looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from finsent import release
from inference.explain import find_words
from model_card.card.colours import BLUE, GREY, ORANGE
from model_card.card.fonts import Fonts, choose_fonts
from model_card.explanations.figures import AttentionView, WordEffects
from model_card.measure.metrics_file import ExampleResult, Metrics, Mistake

WIDTH = 9.0  # inches
MARGIN, SPACE, LINE, GAP = 0.15, 0.07, 0.40, 0.22  # inches: beside a line, between words, its height, below
NARROWEST = 0.25  # inches of a word, so that the numbers below words stay apart
SCRATCH_DPI = 100
MOST_WORDS = 60  # of a text; the picture stops there
VISIBLE_EFFECT = 0.005  # half a percentage point: less is rounded away anyway
STRONGEST = 0.7  # opacity of the word with the greatest effect of its text; letters stay readable on it
MOST_PIECES = 40  # of the text whose attention is drawn


@dataclass(frozen=True)
class _Line:
    """A word, or the grey line above a text; `x` and `y` are inches from the left and from the top."""

    text: str
    x: float
    y: float
    effect: float | None
    strength: float


def draw_explanations(metrics: Metrics) -> dict[str, Figure]:
    """Return the figures by the path of their file; none where nothing was explained."""
    found: dict[str, Figure] = {}
    shown: list[tuple[str, Sequence[ExampleResult | Mistake]]] = [
        (release.EXAMPLES_FIGURE, metrics.examples),
        (release.MISTAKES_FIGURE, metrics.mistakes),
    ]
    for name, texts in shown:
        explained = [(one.text, one.explanation) for one in texts if one.explanation is not None]
        if explained:
            found[name] = draw_texts(explained)
    if metrics.explanations is not None and metrics.explanations.attention is not None:
        found[release.ATTENTION_FIGURE] = draw_attention(metrics.explanations.attention)
    return found


def draw_texts(explained: Sequence[tuple[str, WordEffects]]) -> Figure:
    """Return texts below each other: blue words speak for the label, orange ones against it.

    The number below a word is its effect in percentage points.
    """
    fonts = choose_fonts([text for text, _ in explained])
    lines = list(_lay_out(explained, fonts))
    height = lines[-1].y + LINE + MARGIN
    figure = Figure(figsize=(WIDTH, height))
    for line in lines:
        _write_line(figure, line, height, fonts)
    return figure


def _lay_out(explained: Sequence[tuple[str, WordEffects]], fonts: Fonts) -> Iterator[_Line]:
    scratch = Figure(figsize=(WIDTH, 1), dpi=SCRATCH_DPI)
    renderer = FigureCanvasAgg(scratch).get_renderer()

    def measure(text: str) -> float:
        drawn = scratch.text(0, 0, text, **_style(fonts))
        width = float(drawn.get_window_extent(renderer).width) / SCRATCH_DPI
        drawn.remove()
        return width

    y = MARGIN + 0.2
    for text, found in explained:
        yield _Line(_head(found), MARGIN, y, None, 0)
        x, y = MARGIN, y + 0.3
        greatest = max((abs(effect) for effect in found.effects), default=0) or 1
        for word, effect in _cut_words(text, found.effects, fonts):
            width = measure(word)
            if x > MARGIN and x + width > WIDTH - MARGIN:
                x, y = MARGIN, y + LINE
            yield _Line(word, x, y, effect, abs(effect) / greatest)
            x += max(width, NARROWEST) + SPACE
        y += LINE + GAP


def _head(found: WordEffects) -> str:
    return f"{found.label} {found.whole:.3f}, without any word {found.empty:.3f}, error {found.error:.4f}"


def _cut_words(text: str, effects: Sequence[float], fonts: Fonts) -> Iterator[tuple[str, float]]:
    """Yield the words that are drawn; letters that no font has become a box."""
    spans, _ = find_words(text)
    for (start, stop), effect in list(zip(spans, effects, strict=True))[:MOST_WORDS]:
        yield "".join("□" if letter in fonts.missing else letter for letter in text[start:stop]), effect
    if len(spans) > MOST_WORDS:
        yield "…", 0.0


def _style(fonts: Fonts) -> dict[str, Any]:
    return {"fontsize": 11, "fontfamily": fonts.families, "parse_math": False}


def _write_line(figure: Figure, line: _Line, height: float, fonts: Fonts) -> None:
    place = line.x / WIDTH, 1 - line.y / height
    if line.effect is None:
        figure.text(*place, line.text, **_style(fonts) | {"fontsize": 9}, color=GREY)
        return
    colour = BLUE if line.effect > 0 else ORANGE
    box = {"facecolor": colour, "alpha": STRONGEST * line.strength, "edgecolor": "none", "pad": 1.5}
    figure.text(*place, line.text, **_style(fonts), bbox=box)
    if abs(line.effect) >= VISIBLE_EFFECT:
        points = f"{'+' if line.effect > 0 else '−'}{100 * abs(line.effect):.0f}"
        below = place[0], place[1] - 0.15 / height
        figure.text(*below, points, **_style(fonts) | {"fontsize": 7}, color=colour)


def draw_attention(view: AttentionView) -> Figure:
    """Return how much attention each layer gives each piece from the first one, as shades; no number."""
    tokens, weights = view.tokens[:MOST_PIECES], np.array(view.weights)[:, :MOST_PIECES]
    fonts = choose_fonts(tokens)
    figure = Figure(figsize=(1.6 + 0.32 * len(tokens), 1.6 + 0.32 * len(weights)), layout="constrained")
    axes = figure.add_subplot()
    norm = PowerNorm(0.5, vmin=0)  # most of it stays at the first piece, and the rest would be white
    image = axes.imshow(weights, cmap="Blues", norm=norm, aspect="auto")
    shown = ["".join("□" if letter in fonts.missing else letter for letter in token) for token in tokens]
    style: dict[str, Any] = {"fontsize": 9, "fontfamily": fonts.families, "parse_math": False}
    axes.set_xticks(range(len(tokens)), shown, rotation=60, ha="right", rotation_mode="anchor", **style)
    axes.set_yticks(range(len(weights)), [str(number + 1) for number in range(len(weights))], fontsize=9)
    axes.set_ylabel("layer", fontsize=10)
    figure.colorbar(image, ax=axes, fraction=0.046, label="share of attention")
    return figure
