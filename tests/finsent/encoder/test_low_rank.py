from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForSequenceClassification

from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError, RecipeError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny, tiny_encoders
from tests.finsent.encoder.samples import HARD, TEXTS, change, logits

TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")


def load(recipe: Recipe, **base: object) -> BaseModel:
    return load_base(change(recipe, **base), TEXTS)


def states(base: BaseModel, texts: list[str]) -> torch.Tensor:
    encoded = base.tokenizer()(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return base.model.eval().base_model(**encoded).last_hidden_state[:, 0]  # type: ignore[no-any-return]


@pytest.fixture
def flat(tiny_recipe: Recipe, tmp_path: Path) -> Recipe:
    """A recipe whose BERT has embeddings that vary in 11 of 32 directions alone, and a norm that matters."""
    model: Any = load(tiny_recipe).model.base_model
    directions = torch.linalg.qr(torch.randn(32, 11, generator=torch.Generator().manual_seed(3))).Q
    for name in TABLES:
        table = model.get_submodule(f"embeddings.{name}")
        table.weight.data = 20 * table.weight.data @ directions @ directions.T + 0.5
    norm = model.embeddings.LayerNorm
    norm.weight.data, norm.bias.data = torch.linspace(0.5, 2, 32), torch.linspace(-1, 1, 32)
    return write(tmp_path, tiny_recipe, model)


def write(folder: Path, recipe: Recipe, model: Any) -> Recipe:
    model.save_pretrained(folder / "changed")
    text = load(recipe).tokenizer_json
    (folder / "changed" / "tokenizer.json").write_text(text, encoding="utf-8")
    return load_recipe(tiny.write_recipe(folder, folder / "changed"))


def test_a_table_of_fewer_directions_than_the_rank_is_kept_exactly(flat: Recipe) -> None:
    """Texts with pieces and positions that the training texts lack are read alike, too."""
    texts = [*TEXTS[:8], *HARD]
    before, after = states(load(flat), texts), states(load(flat, embedding_rank=13), texts)
    assert before.std() > 0.3
    assert torch.allclose(before, after, atol=2e-5)


def test_the_more_rank_the_closer_and_the_pieces_of_the_texts_come_first(tiny_recipe: Recipe) -> None:
    before = states(load(tiny_recipe), TEXTS)
    lost = [
        float((states(load(tiny_recipe, embedding_rank=rank), TEXTS) - before).pow(2).mean())
        for rank in (8, 16, 24, 31)
    ]
    assert lost == sorted(lost, reverse=True) and lost[-1] < lost[0] / 20


def test_it_is_a_plain_electra_with_a_smaller_table(tiny_recipe: Recipe, tmp_path: Path) -> None:
    small = load(tiny_recipe, embedding_rank=8, vocabulary=240, layers=[1], intermediate_size=24)
    small.save(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    config = again.config
    assert (config.model_type, config.embedding_size, config.hidden_size) == ("electra", 8, 32)
    assert (config.vocab_size, config.num_hidden_layers, config.intermediate_size) == (240, 1, 24)
    assert config.id2label == dict(enumerate(tiny.LABELS))
    assert again.get_input_embeddings().weight.shape == (240, 8)
    encoded = small.tokenizer()(TEXTS[:4], padding=True, return_tensors="pt")
    with torch.inference_mode():
        assert torch.allclose(again.eval()(**encoded).logits, small.model.eval()(**encoded).logits, atol=1e-5)


def test_the_head_is_drawn_by_the_training_seed(tiny_recipe: Recipe) -> None:
    first, second = (logits(load(tiny_recipe, embedding_rank=8), TEXTS[:4]) for _ in range(2))
    other = logits(load_other_seed(tiny_recipe), TEXTS[:4])
    assert torch.equal(first, second) and not torch.equal(first, other)


def load_other_seed(recipe: Recipe) -> BaseModel:
    return load(recipe.with_seed(recipe.seed + 1), embedding_rank=8)


def test_a_rank_that_is_not_below_the_hidden_size_is_refused(tiny_recipe: Recipe) -> None:
    message = r"base.embedding_rank: got 32, allowed are numbers below the hidden size, 32"
    with pytest.raises(BaseModelError, match=message):
        load(tiny_recipe, embedding_rank=32)


@pytest.mark.parametrize("kind", ["electra", "distilbert", "roberta", "deberta", "modernbert", "t5"])
def test_other_families_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    encoder = tiny_encoders.save_encoder(tmp_path / kind, kind)
    place = {"path": str(encoder), "hub": f"tests/{kind}", "licence": "apache-2.0", "embedding_rank": 8}
    text = {"max_characters": 28, "lowercase": tiny_encoders.KINDS[kind].tokenizer == "wordpiece"}
    recipe = load_recipe(tiny.write_recipe(tmp_path, encoder, base=place, text=text))
    with pytest.raises(
        BaseModelError, match=f"base.embedding_rank: .* type '{kind}', allowed: 'bert'; leave"
    ):
        load_base(recipe, TEXTS)


def test_a_recipe_that_asks_for_more_rank_than_it_keeps_is_refused(tmp_path: Path) -> None:
    base = {"path": "x", "hub": "a/b", "licence": "mit", "embedding_rank": 64, "hidden_size": 64}
    with pytest.raises(
        RecipeError, match="embedding_rank: got 64, allowed are numbers below hidden_size, 64"
    ):
        load_recipe(tiny.write_recipe(tmp_path, tmp_path, base=base))


def test_a_student_that_starts_from_its_teacher_cannot_be_factored(tmp_path: Path, tiny_base: Path) -> None:
    teacher = tiny.write_recipe(tmp_path, tiny_base)
    plan = {"teachers": [teacher.name], "initialize_from": "teacher"}
    base = {"path": str(tiny_base), "hub": "tests/tiny-bert", "licence": "apache-2.0", "embedding_rank": 8}
    path = tmp_path / "student.yaml"
    tree = tiny.recipe_tree(tmp_path, tiny_base) | {"name": "student", "distillation": plan, "base": base}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"initialize_from: got teacher with base\.embedding_rank"):
        load_recipe(path)
