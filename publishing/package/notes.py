"""What is said of one release in its commit and its tag: what changed, in the recipe's words, and figures."""

from __future__ import annotations

from finsent.recipe.recipe import Recipe
from model_card.measure.metrics import Metrics


def release_notes(recipe: Recipe, metrics: Metrics) -> str:
    """Return `card.changes` of this version, if any, and one line of figures of the default file."""
    default = metrics.variant(metrics.default_variant)
    figures = (
        f"{default.file}: {default.bytes / 1e6:.1f} MB, accuracy {default.scores.accuracy:.3f}, "
        f"macro F1 {default.scores.macro_f1:.3f}"
    )
    changes = recipe.card.changes.get(metrics.version, "").strip()
    return "\n\n".join(part for part in (changes, figures) if part)
