"""The files of a release that tell of it: figures, recipe, drawings, and the card."""

from __future__ import annotations

from pathlib import Path

from finsent.errors import ReleaseError
from finsent.recipe.file import dump_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import CARD, METRICS, RECIPE, write_threshold
from model_card.card.build import build_card
from model_card.card.figures import draw_figures
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Metrics, write_metrics


def write_card(recipe: Recipe, metrics: Metrics, folder: Path) -> None:
    """Write all that says what was measured; ReleaseError if the card does not pass its own linter."""
    write_metrics(metrics, folder / METRICS)
    write_threshold(folder, metrics.abstention.threshold if metrics.abstention else None)
    (folder / RECIPE).write_text(dump_recipe(recipe), encoding="utf-8")
    draw_figures(metrics, folder)
    card = build_card(recipe, metrics)
    (folder / CARD).write_text(card, encoding="utf-8")
    if problems := lint_card(card, metrics, folder):
        raise ReleaseError("the card fails its linter:\n" + "\n".join(map(str, problems)))
