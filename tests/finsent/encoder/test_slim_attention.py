from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from export.to_onnx import export_onnx
from finsent.encoder.load import load_base
from finsent.encoder.slim_attention import decoder_attentions, slim_down
from finsent.encoder.text_to_text import load_plain
from finsent.errors import BaseModelError, ReleaseError
from finsent.onnx_files import FP32
from finsent.recipe.encoder import TextToText as Form
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from tests import tiny_encoders
from tests.finsent.encoder.samples import TEXTS, change


def slim_recipe(recipe: Recipe, path: Path, **changes: Any) -> Recipe:
    """Return the recipe of a slim T5, as a file of it would be read."""
    form = Form(**tiny_encoders.WORDS)
    told = change(recipe, path=str(path), text_to_text=form, slim_attention=True).model_dump(mode="json")
    told["text"] |= {"lowercase": False, "max_characters": 100}
    told["export"]["variants"] = [{"name": "fp32"}]
    return Recipe.model_validate(told | changes)


def test_a_file_with_values_from_keys_answers_as_the_plain_one_does(
    tiny_recipe: Recipe, tmp_path: Path
) -> None:
    base = load_base(slim_recipe(tiny_recipe, tiny_encoders.save_t5(tmp_path / "t5")), TEXTS)
    base.save(tmp_path / "saved")
    kinds = {type(one.v).__name__ for one in decoder_attentions(load_plain(tmp_path / "saved"))}
    assert kinds == {"FromKeys"}
    export_onnx(tmp_path / "saved", 18)
    found = Classifier(tmp_path / "saved", FP32.path).logits(TEXTS)
    with torch.inference_mode():
        encoded = base.tokenizer()(TEXTS, padding=True, return_tensors="pt")
        expected = base.model.eval()(**encoded).logits.numpy()
    assert 0 < abs(found - expected).max() <= 1e-3


def test_a_decoder_without_an_inverse_is_refused() -> None:
    encoder = tiny_encoders.random_classifier()
    attention = next(iter(decoder_attentions(encoder)))
    attention.k.weight.data[1] = attention.k.weight.data[0] * (1 + 1e-6)
    with pytest.raises(
        ReleaseError, match=r"slim_attention: logits change by .*, allowed are at most 0\.001"
    ):
        slim_down(encoder)


def test_where_it_is_not_exact_it_is_refused_by_name(tiny_recipe: Recipe, tmp_path: Path) -> None:
    oblong = tiny_encoders.save_t5(tmp_path / "oblong", d_kv=8)
    with pytest.raises(BaseModelError, match="2 heads of 8, together 16, on states of 32; W_K is not square"):
        load_base(slim_recipe(tiny_recipe, oblong), TEXTS)
    training = tiny_recipe.training.model_dump(mode="json") | {"bf16": "auto"}
    with pytest.raises(ValidationError, match=r"got training\.bf16: auto; keys in bf16 give values"):
        slim_recipe(tiny_recipe, oblong, training=training)
    variants = [{"name": "fp32"}, {"name": "quantized"}]
    with pytest.raises(
        ValidationError, match=r"got the variant 'quantized' in export\.variants; rounded keys"
    ):
        slim_recipe(tiny_recipe, oblong, export={"variants": variants})
    told = change(tiny_recipe, slim_attention=True).model_dump(mode="json")
    with pytest.raises(ValidationError, match=r"needs base\.text_to_text, because an encoder keeps no keys"):
        Recipe.model_validate(told)
