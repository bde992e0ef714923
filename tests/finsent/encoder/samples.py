"""Texts, and what a base model answers to them."""

from __future__ import annotations

import torch

from finsent.encoder.base_model import BaseModel
from finsent.recipe.recipe import Recipe
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


HARD = ["", "$AAPL beats! https://t.co/x", "中文 한국 ñandú €5", "~" * 90, "Zyxwvut~|{}"]


def change(recipe: Recipe, **base: object) -> Recipe:
    return recipe.model_copy(update={"base": recipe.base.model_copy(update=base)})


def logits(base: BaseModel, texts: list[str]) -> torch.Tensor:
    with torch.inference_mode():
        encoded = base.tokenizer()(texts, padding=True, return_tensors="pt")
        return base.model.eval()(**encoded).logits  # type: ignore[no-any-return]
