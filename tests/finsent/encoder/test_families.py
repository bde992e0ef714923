from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModel, ElectraConfig, PretrainedConfig, SqueezeBertConfig

from finsent.encoder.families import FAMILIES, find_family
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from tests import tiny
from tests.finsent.encoder.samples import TEXTS, change, logits

SIZES = {
    "vocab_size": tiny.make_tokenizer().get_vocab_size(),
    "hidden_size": 32,
    "embedding_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
}


def save(folder: Path, config: PretrainedConfig) -> str:
    AutoModel.from_config(config).save_pretrained(folder)
    tiny.make_tokenizer().save(str(folder / "tokenizer.json"))
    return str(folder)


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_a_row_names_parts_that_are_there(kind: str, tiny_recipe: Recipe, tmp_path: Path) -> None:
    model = load_base(change(tiny_recipe, path=str(tiny.save_encoder(tmp_path / kind, kind))), TEXTS).model
    family = find_family(model)
    assert family is FAMILIES[kind]
    for path in (family.layers, family.positions):
        assert path is not None
        model.base_model.get_submodule(path)
    assert getattr(model.config, family.layers_key) == 2
    linears = [name for name, _ in model.named_modules()]
    assert all(any(name.endswith(path) for name in linears) for path in family.readers + family.writers)


def test_electra_is_cut_as_bert_but_for_its_hidden_size(tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = change(tiny_recipe, path=save(tmp_path, ElectraConfig(**SIZES)))
    base = load_base(change(recipe, layers=[1], intermediate_size=40, positions=128), TEXTS)
    assert (base.model.config.num_hidden_layers, base.model.config.intermediate_size) == (1, 40)
    assert logits(base, TEXTS[:2]).shape == (2, 3)
    with pytest.raises(
        BaseModelError, match=r"hidden_size: the encoder is of type 'electra', allowed is 'bert'"
    ):
        load_base(change(recipe, hidden_size=16), TEXTS)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"layers": [0]}, "base.layers: cannot choose layers of a SqueezeBert"),
        ({"positions": 128}, "base.positions: got 128, the encoder has no table of them"),
        ({"intermediate_size": 8}, "base.intermediate_size: a SqueezeBert.* cannot be made narrower"),
        ({"hidden_size": 16}, "base.hidden_size: the encoder is of type 'squeezebert'"),
    ],
)
def test_a_family_without_a_row_loads_whole_and_is_not_cut(
    cut: dict[str, object], message: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = change(tiny_recipe, path=save(tmp_path, SqueezeBertConfig(**SIZES)))
    assert logits(load_base(recipe, TEXTS), TEXTS[:2]).shape == (2, 3)
    with pytest.raises(BaseModelError, match=message):
        load_base(change(recipe, **cut), TEXTS)
