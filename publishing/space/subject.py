"""What a Space says of a release, in the words of its recipe."""

from __future__ import annotations

from finsent.onnx_files import ONNX_FILES, TRANSFORMERS_JS
from finsent.recipe.card import LONGEST_DESCRIPTION, Card, Unit
from finsent.recipe.recipe import Recipe
from model_card.measure.metrics_file import Metrics
from publishing.space.forms import EMOJI, Subject


def describe_subject(recipe: Recipe, metrics: Metrics, model: str, revision: str | None = None) -> Subject:
    """Return the subject of the Space for the release under the Hub id `model`, at no commit by default."""
    card = recipe.card
    return Subject(
        model=model,
        title=card.title,
        summary=card.summary,
        licence=metrics.licence,
        revision=revision,
        dtype=ONNX_FILES[metrics.default_variant].dtype,
        unit=(card.unit.one, card.unit.many),
        tags=tuple(card.tags),
        notice=card.notice,
        emoji=card.emoji or EMOJI,
        description=describe_shortly(card),
        forms=("gradio", "static") if metrics.is_loaded_by(TRANSFORMERS_JS) else ("gradio",),
    )


def describe_shortly(card: Card) -> str:
    """Return the short description of the demo, which the Hub bounds."""
    told = card.short_description or f"Classifies {card.unit.many}, one or many at a time"
    return told if len(told) <= LONGEST_DESCRIPTION else f"Classifies {Unit().many}, one or many at a time"
