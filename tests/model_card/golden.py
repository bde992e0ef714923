"""The golden card: what the sample recipe and figures give. `python -m tests.model_card.golden` renews it."""

from __future__ import annotations

from pathlib import Path

from model_card.card.build import build_card
from tests.model_card.samples import make_metrics, make_recipe

GOLDEN = Path(__file__).with_name("golden_card.md")


def render_golden() -> str:
    """Return the card of the sample."""
    return build_card(make_recipe(), make_metrics())


if __name__ == "__main__":
    GOLDEN.write_text(render_golden(), encoding="utf-8", newline="\n")
