from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    ElectraConfig,
    PretrainedConfig,
    SqueezeBertConfig,
)

from finsent.encoder.families import FAMILIES, find_family
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from tests import tiny, tiny_encoders
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


@pytest.mark.parametrize("kind", tiny_encoders.KINDS)
def test_every_cut_that_a_row_allows_is_kept_by_a_saved_model(
    kind: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    """A cut that only the model in memory knows would give other answers once the release is loaded."""
    family, made = FAMILIES[kind], tiny_encoders.KINDS[kind]
    encoder = tiny_encoders.save_encoder(tmp_path / kind, kind, initializer_range=0.3)
    text = tiny_recipe.text.model_copy(
        update={"lowercase": made.tokenizer == "wordpiece", "max_characters": 25}
    )
    cuts: dict[str, object] = {"layers": [1]} if family.layers else {}
    cuts |= {"intermediate_size": 40} if family.intermediate else {}
    cuts |= {"vocabulary": 220} if made.tokenizer == "wordpiece" else {}
    cuts |= {"positions": 120}
    recipe = change(tiny_recipe, path=str(encoder), **cuts).model_copy(update={"text": text})
    whole, base = load_base(change(recipe, **dict.fromkeys(cuts)), TEXTS), load_base(recipe, TEXTS)
    count = sum(weights.numel() for weights in whole.model.parameters())
    assert sum(weights.numel() for weights in base.model.parameters()) < count or family.layers is None
    base.save(tmp_path / "saved")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved").eval()
    encoded = AutoTokenizer.from_pretrained(tmp_path / "saved")(TEXTS[:8], padding=True, return_tensors="pt")
    with torch.inference_mode():
        assert torch.allclose(again(**encoded).logits, logits(base, TEXTS[:8]), atol=1e-5)


def test_electra_is_cut_as_bert_but_for_its_hidden_size(tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = change(tiny_recipe, path=save(tmp_path, ElectraConfig(**SIZES)))
    base = load_base(change(recipe, layers=[1], intermediate_size=40, positions=128), TEXTS)
    assert (base.model.config.num_hidden_layers, base.model.config.intermediate_size) == (1, 40)
    assert logits(base, TEXTS[:2]).shape == (2, 3)
    with pytest.raises(
        BaseModelError, match=r"hidden_size: the encoder is of type 'electra', allowed: 'bert'"
    ):
        load_base(change(recipe, hidden_size=16), TEXTS)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"layers": [0]}, "base.layers: cannot select layers of a SqueezeBert"),
        (
            {"positions": 128},
            "base.positions: got 128, this encoder has no position table; leave the key out",
        ),
        ({"intermediate_size": 8}, "base.intermediate_size: a SqueezeBert.* cannot be pruned"),
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
