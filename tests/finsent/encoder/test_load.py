from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers

from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.teachers import run_model
from tests import tiny
from tests.finsent.encoder.samples import HARD, TEXTS, change, logits


def test_labels_and_their_order_are_the_recipe_s(tiny_recipe: Recipe) -> None:
    config = load_base(tiny_recipe, TEXTS).model.config
    assert config.id2label == dict(enumerate(tiny.LABELS))
    assert config.label2id == {"negative": 0, "neutral": 1, "positive": 2}
    assert config.problem_type == "single_label_classification"


def test_a_start_from_a_release_answers_as_it_does(tiny_release: Path) -> None:
    recipe = read_released_recipe(tiny_release / "recipe.yaml")
    base = load_base(recipe, TEXTS, teacher=tiny_release)
    assert logits(base, HARD).numpy() == pytest.approx(run_model(tiny_release, HARD), abs=1e-5)
    fewer = load_base(change(recipe, layers=[1]), TEXTS, teacher=tiny_release).model
    assert torch.equal(
        fewer.state_dict()["bert.encoder.layer.0.output.dense.weight"],
        base.model.state_dict()["bert.encoder.layer.1.output.dense.weight"],
    )


def test_distilbert_takes_no_token_types(tiny_recipe: Recipe, tmp_path: Path) -> None:
    folder = tiny.save_encoder(tmp_path / "distil", "distilbert")
    base = load_base(change(tiny_recipe, path=str(folder), layers=[0]), TEXTS)
    assert base.input_names == ["input_ids", "attention_mask"]
    assert base.model.config.n_layers == 1
    assert logits(base, TEXTS[:2]).shape == (2, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "base.sha256: model.safetensors has"),
        ({"path": None, "package": "no_such_package"}, "'no_such_package' is not installed"),
        ({"path": "/nowhere"}, "holds no config.json"),
    ],
)
def test_missing_or_altered_weights_are_named(
    tiny_recipe: Recipe, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(BaseModelError, match=message):
        load_base(change(tiny_recipe, **changes), TEXTS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (models.BPE({"a": 0}, []), r"has a BPE tokenizer without \[CLS\], .*\[PAD\], .*whose files agree"),
        (models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"), r"tokenizer without \[CLS\], \[MASK\], "),
    ],
)
def test_a_tokenizer_that_lacks_tokens_which_its_class_names_is_refused(
    tiny_recipe: Recipe, tmp_path: Path, model: models.Model, message: str
) -> None:
    folder = tiny.save_encoder(tmp_path / "other", "bert")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    with pytest.raises(BaseModelError, match=message):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)


def test_the_mirror_brings_base_models(tiny_recipe: Recipe, tmp_path: Path) -> None:
    tiny.save_encoder(tmp_path / "models" / "tests" / "tiny-bert", "bert")
    assert load_base(change(tiny_recipe, path=None), TEXTS, tmp_path).model.config.num_labels == 3
