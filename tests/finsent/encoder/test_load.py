from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers
from transformers import AutoModelForSequenceClassification

from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import sha256
from finsent.training.teachers import run_model
from tests import tiny, tiny_encoders
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


def test_a_base_with_a_head_of_other_labels_gets_a_fresh_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    five = tiny_encoders.save_with_head(tmp_path / "five", labels=5)
    three = tiny_encoders.save_with_head(tmp_path / "three", labels=3)
    heads = [load_base(change(tiny_recipe, path=str(path)), TEXTS).model.classifier for path in (five, three)]
    learnt = AutoModelForSequenceClassification.from_pretrained(three).classifier
    assert all(head.weight.shape == (3, 32) for head in heads)
    assert not torch.allclose(heads[1].weight, learnt.weight)


def test_weights_of_another_shape_or_architecture_are_refused(tiny_recipe: Recipe, tmp_path: Path) -> None:
    folder = tiny.save_encoder(tmp_path / "other", "bert")
    config = tiny.read_json(folder / "config.json")
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}), encoding="utf-8")
    with pytest.raises(BaseModelError, match=r"base: 6 weights of tests/tiny-bert, such as bert\.encoder"):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "distilbert"}), encoding="utf-8")
    with pytest.raises(BaseModelError, match=r"lack \d+ of the encoder's parts, such as "):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"model_type": "mt5"},
            "of type 'mt5', which is no encoder with a classifier; allowed are albert, bert",
        ),
        ({"model_type": "gpt2"}, "of type 'gpt2', which is no encoder"),
        ({"model_type": "new"}, "config.json of tests/tiny-bert cannot be read: "),
        ({"auto_map": {"AutoConfig": "evil.Config"}, "model_type": "new"}, "cannot be read: "),
    ],
)
def test_what_is_no_encoder_of_transformers_is_refused_in_a_line(
    tiny_recipe: Recipe, tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    folder = tiny.save_encoder(tmp_path / "other", "bert")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    with pytest.raises(BaseModelError, match=message) as caught:
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


class _Runs:
    """A pickle that writes a file when it is read as code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_an_older_repository_with_vocab_txt_and_pickled_weights_loads(
    tiny_recipe: Recipe, tmp_path: Path
) -> None:
    folder = tiny.save_encoder(tmp_path / "older", "bert")
    new = load_base(change(tiny_recipe, path=str(folder)), TEXTS)
    vocabulary = tiny.read_json(folder / "tokenizer.json")["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    weights = load_file(folder / "model.safetensors")
    torch.save({f"bert.{name}": tensor for name, tensor in weights.items()}, folder / "pytorch_model.bin")
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name).unlink()
    digest = sha256(folder / "pytorch_model.bin")
    old = load_base(change(tiny_recipe, path=str(folder), sha256=digest), TEXTS)
    assert torch.equal(logits(old, HARD), logits(new, HARD))
    torch.save(
        {"bert.embeddings.word_embeddings.weight": _Runs(tmp_path / "ran")}, folder / "pytorch_model.bin"
    )
    with pytest.raises(BaseModelError, match="base: tests/tiny-bert cannot be loaded: "):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(name: str, tiny_recipe: Recipe, tmp_path: Path) -> None:
    folder = tiny.save_encoder(tmp_path / "lacking", "bert")
    (folder / name).unlink()
    with pytest.raises(BaseModelError, match=rf"tests/tiny-bert has (no|neither) {name}"):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)


def test_capitals_are_the_encoder_s_to_know(tiny_recipe: Recipe, tmp_path: Path) -> None:
    text = tiny_recipe.text.model_copy(update={"lowercase": False})
    with pytest.raises(BaseModelError, match=r"text.lowercase: got false, but .* knows no capitals.*: true"):
        load_base(tiny_recipe.model_copy(update={"text": text}), TEXTS)
    cased = tiny_encoders.save_encoder(tmp_path / "cased", "xlm-roberta")
    with pytest.raises(
        BaseModelError, match=r"text.lowercase: got true, but .* tells capitals apart.*: false"
    ):
        load_base(change(tiny_recipe, path=str(cased)), TEXTS)


def test_the_pieces_of_another_kind_of_tokenizer_are_not_chosen(tiny_recipe: Recipe, tmp_path: Path) -> None:
    text = tiny_recipe.text.model_copy(update={"lowercase": False})
    encoder = tiny_encoders.save_encoder(tmp_path / "xlm", "xlm-roberta")
    recipe = change(tiny_recipe, path=str(encoder), vocabulary=500).model_copy(update={"text": text})
    with pytest.raises(BaseModelError, match=r"base\.vocabulary: got 500, but .* has a Unigram tokenizer"):
        load_base(recipe, TEXTS)


def test_the_mirror_brings_base_models(tiny_recipe: Recipe, tmp_path: Path) -> None:
    tiny.save_encoder(tmp_path / "models" / "tests" / "tiny-bert", "bert")
    assert load_base(change(tiny_recipe, path=None), TEXTS, tmp_path).model.config.num_labels == 3
