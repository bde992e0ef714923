"""The code blocks that finsent itself writes into the card of a release: the only ones it runs unasked."""

from __future__ import annotations

from pathlib import Path

from finsent.recipe.file import read_released_recipe
from finsent.release import METRICS, RECIPE
from model_card.card.build import build_card
from model_card.card.document import CodeBlock, code_blocks, split_card
from model_card.measure.metrics_file import read_metrics


def rendered_blocks(release: Path) -> frozenset[tuple[str, str]]:
    """Return language and code of each block of the card that is rendered from a recipe and its figures."""
    card = build_card(read_released_recipe(release / RECIPE), read_metrics(release / METRICS))
    return frozenset(map(key_of, code_blocks(split_card(card).body)))


def key_of(block: CodeBlock) -> tuple[str, str]:
    """Return what must be equal for a block to be the one that was rendered, wherever it stands."""
    return block.language, block.code
