from __future__ import annotations

import pytest

from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from tests.finsent.encoder.samples import TEXTS, logits


@pytest.mark.parametrize("text", ["x" * 3000, "한" * 400, "中" * 900, "🙂" * 700, "a " * 900, "é" * 1000])
def test_no_text_is_longer_than_the_positions(tiny_recipe: Recipe, text: str) -> None:
    base = load_base(tiny_recipe, TEXTS)
    assert len(base.tokenizer()(text)["input_ids"]) <= base.model.config.max_position_embeddings
    assert logits(base, [text]).shape == (1, 3)


def test_a_bound_above_the_positions_is_refused(tiny_recipe: Recipe) -> None:
    text = tiny_recipe.text.model_copy(update={"max_characters": 117})
    with pytest.raises(BaseModelError, match="max_characters: got 117, allowed are at most 116"):
        load_base(tiny_recipe.model_copy(update={"text": text}), TEXTS)
