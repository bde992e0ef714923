from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from tests import tiny_encoders
from tests.finsent.encoder.samples import TEXTS, change, logits


@pytest.mark.parametrize("text", ["x" * 3000, "한" * 400, "中" * 900, "🙂" * 700, "a " * 900, "é" * 1000])
def test_no_text_is_longer_than_the_positions(tiny_recipe: Recipe, text: str) -> None:
    base = load_base(tiny_recipe, TEXTS)
    assert len(base.tokenizer()(text)["input_ids"]) <= base.model.config.max_position_embeddings
    assert logits(base, [text]).shape == (1, 3)


def test_a_bound_above_the_positions_is_refused(tiny_recipe: Recipe) -> None:
    text = tiny_recipe.text.model_copy(update={"max_characters": 117})
    message = "max_characters: got 117, allowed are at most 116: .* has 128 positions; .* base.positions: 129"
    with pytest.raises(BaseModelError, match=message):
        load_base(tiny_recipe.model_copy(update={"text": text}), TEXTS)


def with_text(recipe: Recipe, **text: object) -> Recipe:
    return recipe.model_copy(update={"text": recipe.text.model_copy(update=text)})


def test_a_byte_level_tokenizer_needs_four_positions_a_character(tiny_recipe: Recipe, tmp_path: Path) -> None:
    encoder = tiny_encoders.save_encoder(tmp_path / "roberta", "roberta")
    recipe = with_text(change(tiny_recipe, path=str(encoder)), lowercase=False)
    with pytest.raises(
        BaseModelError, match=r"at most 29: .* 128 positions, and a character can be 4 tokens"
    ):
        load_base(recipe, TEXTS)
    base = load_base(change(recipe, positions=4 * 116 + 12), TEXTS)
    ids = base.tokenizer()("🙂" * 900)["input_ids"]
    assert len(ids) == 4 * 116 + 2 <= base.tokenizer().model_max_length == 476


@pytest.mark.parametrize("kind", tiny_encoders.KINDS)
def test_more_positions_change_no_answer_and_take_long_texts(
    kind: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    encoder = tiny_encoders.save_encoder(tmp_path / kind, kind, initializer_range=0.3)
    recipe = with_text(
        change(tiny_recipe, path=str(encoder)),
        lowercase=tiny_encoders.KINDS[kind].tokenizer == "wordpiece",
        max_characters=25,
    )
    before, after = load_base(recipe, TEXTS), load_base(change(recipe, positions=420), TEXTS)
    short = [text[:25] for text in TEXTS[:8]]
    assert torch.allclose(logits(before, short), logits(after, short), atol=1e-6)
    longest = load_base(with_text(change(recipe, positions=420), max_characters=100), TEXTS)
    assert logits(longest, ["🙂" * 900, "x " * 900]).shape == (2, 3)
    longest.save(tmp_path / "saved")
    again = type(longest.model).from_pretrained(tmp_path / "saved")
    encoded = longest.tokenizer()(["x " * 900], return_tensors="pt")
    with torch.inference_mode():
        assert torch.allclose(again.eval()(**encoded).logits, logits(longest, ["x " * 900]), atol=1e-5)
