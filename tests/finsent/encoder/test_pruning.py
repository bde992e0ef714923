from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny
from tests.finsent.encoder.samples import TEXTS, change


def load(recipe: Recipe, **base: object) -> BaseModel:
    return load_base(change(recipe, **base), TEXTS)


def hidden(base: BaseModel) -> torch.Tensor:
    encoded = base.tokenizer()(TEXTS[:8], padding=True, return_tensors="pt")
    with torch.inference_mode():
        return base.model.eval().base_model(**encoded).last_hidden_state[:, 0]  # type: ignore[no-any-return]


def test_keeping_every_neuron_and_position_changes_nothing(tiny_recipe: Recipe) -> None:
    assert torch.allclose(
        hidden(load(tiny_recipe)), hidden(load(tiny_recipe, intermediate_size=64, positions=128))
    )


def test_a_silent_neuron_is_the_first_to_go(tiny_recipe: Recipe, tmp_path: Path) -> None:
    whole = load(tiny_recipe)
    for layer in whole.model.base_model.encoder.layer:
        layer.output.dense.weight.data[:, 5] = 0
    whole.model.base_model.save_pretrained(tmp_path / "silent")
    (tmp_path / "silent" / "tokenizer.json").write_text(whole.tokenizer_json, encoding="utf-8")
    recipe = load_recipe(tiny.write_recipe(tmp_path, tmp_path / "silent"))
    narrow = load(recipe, intermediate_size=63)
    assert narrow.model.config.intermediate_size == 63
    assert torch.allclose(hidden(narrow), hidden(load(recipe)), atol=1e-6)


def test_what_a_neuron_gave_is_taken_over_by_its_equals(tiny_recipe: Recipe, tmp_path: Path) -> None:
    whole = load(tiny_recipe)
    for layer in whole.model.base_model.encoder.layer:
        inner, outer = layer.intermediate.dense, layer.output.dense
        inner.weight.data[32:], inner.bias.data[32:] = inner.weight.data[:32], inner.bias.data[:32]
        inner.weight.data[7], inner.bias.data[7] = 0, 3  # active, but always alike: a part of the bias
        outer.weight.data *= 5
    whole.model.base_model.save_pretrained(tmp_path / "twins")
    (tmp_path / "twins" / "tokenizer.json").write_text(whole.tokenizer_json, encoding="utf-8")
    recipe = load_recipe(tiny.write_recipe(tmp_path, tmp_path / "twins"))
    before, after = hidden(load(recipe)), hidden(load(recipe, intermediate_size=32))
    assert torch.allclose(before, after, atol=0.02)
    assert before.std() > 0.5


def test_a_full_width_projection_turns_the_hidden_states_only(tiny_recipe: Recipe) -> None:
    """A rotation: layer norms become approximate, but distances between texts stay much the same."""
    before, after = hidden(load(tiny_recipe)), hidden(load(tiny_recipe, hidden_size=32))
    assert torch.corrcoef(torch.stack([torch.pdist(before), torch.pdist(after)]))[0, 1] > 0.9


def test_a_narrow_model_is_a_plain_bert_of_that_shape(tiny_recipe: Recipe, tmp_path: Path) -> None:
    narrow = load(tiny_recipe, hidden_size=16, intermediate_size=24, positions=128)
    narrow.model.save_pretrained(tmp_path)
    again = type(narrow.model).from_pretrained(tmp_path)
    config = again.config
    assert (config.hidden_size, config.num_attention_heads, config.intermediate_size) == (16, 1, 24)
    kept = again.state_dict()
    assert all(torch.equal(weights, kept[name]) for name, weights in narrow.model.state_dict().items())
    encoded = narrow.tokenizer()(TEXTS[:4], padding=True, return_tensors="pt")
    with torch.inference_mode():  # attention by other kernels than while it was cut: close, not equal
        logits = again.eval()(**encoded).logits
        assert torch.allclose(logits, narrow.model.eval()(**encoded).logits, atol=1e-5)


def test_layers_are_chosen_in_order(tiny_recipe: Recipe) -> None:
    whole, last = load_base(tiny_recipe, TEXTS), load_base(change(tiny_recipe, layers=[1]), TEXTS)
    assert last.model.config.num_hidden_layers == 1
    name = "bert.encoder.layer.{}.output.dense.weight"
    assert torch.equal(last.model.state_dict()[name.format(0)], whole.model.state_dict()[name.format(1)])
    with pytest.raises(BaseModelError, match=r"got \[2\]; 2 layers exist"):
        load_base(change(tiny_recipe, layers=[2]), TEXTS)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ({"intermediate_size": 65}, "base.intermediate_size: got 65, the encoder has 64"),
        ({"hidden_size": 20}, "base.hidden_size: got 20, allowed are multiples of 16 up to 32"),
        ({"positions": 64}, "max_characters: got 116, allowed are at most 52"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(tiny_recipe: Recipe, base: dict[str, int], message: str) -> None:
    with pytest.raises(BaseModelError, match=message):
        load(tiny_recipe, **base)


def test_another_kind_of_encoder_is_refused(tmp_path: Path) -> None:
    encoder = tiny.save_encoder(tmp_path / "distilbert", "distilbert")
    recipe = load_recipe(tiny.write_recipe(tmp_path, encoder))
    with pytest.raises(BaseModelError, match="a DistilBertForSequenceClassification cannot be pruned"):
        load(recipe, intermediate_size=8)
    with pytest.raises(BaseModelError, match=r"hidden_size: the encoder is of type 'distilbert', allowed"):
        load(recipe, hidden_size=16)
