from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models

from finsent.encoder.load import BaseModel, _is_foreign, choose_pieces, load_base
from finsent.encoder.text_rules import build_normalizer
from finsent.errors import BaseModelError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.teachers import run_model
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]
HARD = ["", "$AAPL beats! https://t.co/x", "中文 한국 ñandú €5", "~" * 90, "Zyxwvut~|{}"]


def change(recipe: Recipe, **base: object) -> Recipe:
    return recipe.model_copy(update={"base": recipe.base.model_copy(update=base)})


def logits(base: BaseModel, texts: list[str]) -> torch.Tensor:
    with torch.inference_mode():
        encoded = base.tokenizer()(texts, padding=True, return_tensors="pt")
        return base.model.eval()(**encoded).logits  # type: ignore[no-any-return]


def test_labels_and_their_order_are_the_recipe_s(tiny_recipe: Recipe) -> None:
    config = load_base(tiny_recipe, TEXTS).model.config
    assert config.id2label == dict(enumerate(tiny.LABELS))
    assert config.label2id == {"negative": 0, "neutral": 1, "positive": 2}
    assert config.problem_type == "single_label_classification"


def test_the_tokenizer_cleans_and_neither_cuts_nor_pads(tiny_recipe: Recipe) -> None:
    base = load_base(tiny_recipe, TEXTS)
    tree = json.loads(base.tokenizer_json)
    assert tree["truncation"] is None
    assert tree["padding"] is None
    ids = base.tokenizer()(["$AAPL beats https://t.co/x", "aapl beats"])["input_ids"]
    assert ids[0] == ids[1]


def test_a_start_from_a_release_answers_as_it_does(tiny_release: Path) -> None:
    recipe = load_recipe(tiny_release / "recipe.yaml")
    base = load_base(recipe, TEXTS, start=tiny_release)
    assert logits(base, HARD).numpy() == pytest.approx(run_model(tiny_release, HARD), abs=1e-5)
    fewer = load_base(change(recipe, layers=[1]), TEXTS, start=tiny_release).model
    assert torch.equal(
        fewer.state_dict()["bert.encoder.layer.0.output.dense.weight"],
        base.model.state_dict()["bert.encoder.layer.1.output.dense.weight"],
    )


@pytest.mark.parametrize("text", ["x" * 3000, "한" * 400, "中" * 900, "🙂" * 700, "a " * 900, "é" * 1000])
def test_no_text_is_longer_than_the_positions(tiny_recipe: Recipe, text: str) -> None:
    base = load_base(tiny_recipe, TEXTS)
    assert len(base.tokenizer()(text)["input_ids"]) <= base.model.config.max_position_embeddings
    assert logits(base, [text]).shape == (1, 3)


def test_a_bound_above_the_positions_is_refused(tiny_recipe: Recipe) -> None:
    text = tiny_recipe.text.model_copy(update={"max_characters": 117})
    with pytest.raises(BaseModelError, match="max_characters: got 117, allowed are at most 116"):
        load_base(tiny_recipe.model_copy(update={"text": text}), TEXTS)


def test_cutting_the_vocabulary_changes_no_answer_where_pieces_stay(tiny_recipe: Recipe) -> None:
    whole = load_base(tiny_recipe, TEXTS)
    size = whole.model.config.vocab_size
    cut = load_base(change(tiny_recipe, vocabulary=size - 10), TEXTS)
    assert cut.model.config.vocab_size == size - 10
    assert cut.model.get_input_embeddings().weight.shape[0] == size - 10
    assert torch.allclose(logits(whole, TEXTS), logits(cut, TEXTS), atol=1e-6)


def test_nothing_becomes_unknown_that_was_not_before(tiny_recipe: Recipe) -> None:
    tree = json.loads(load_base(tiny_recipe, TEXTS).tokenizer_json)
    least = len([piece for piece in tree["model"]["vocab"] if len(piece.removeprefix("##")) == 1]) + 5
    with pytest.raises(BaseModelError, match=f"allowed from {least}"):
        choose_pieces(tree, TEXTS, least - 1)
    recipe = change(tiny_recipe, vocabulary=least)
    before, after = load_base(tiny_recipe, TEXTS).tokenizer(), load_base(recipe, TEXTS).tokenizer()
    for text in [*TEXTS, *HARD]:
        assert before.tokenize(text).count("[UNK]") == after.tokenize(text).count("[UNK]"), text


def test_letters_of_other_scripts_go_where_the_recipe_says_so_and_no_row_has_them(
    tiny_recipe: Recipe,
) -> None:
    texts = [*TEXTS, "中"]
    whole = load_base(tiny_recipe, TEXTS)
    recipe = change(tiny_recipe, vocabulary=whole.model.config.vocab_size - 2, characters="latin")
    before, after = whole.tokenizer(), load_base(recipe, texts).tokenizer()
    gone = set(before.get_vocab()) - set(after.get_vocab())
    assert gone == {"한", "##한"}
    for text in [*texts, "straße €5 ñ", "~|{}"]:
        assert before.tokenize(text) == after.tokenize(text)
    assert after.tokenize("a 한 b") == ["a", "[UNK]", "b"]


@pytest.mark.parametrize(
    ("letter", "foreign"),
    [*((letter, False) for letter in "aé½²ª€-ʼ①ﬁ1"), *((letter, True) for letter in "中한жβא")],
)
def test_what_stands_for_latin_letters_is_not_foreign(letter: str, foreign: bool) -> None:
    assert _is_foreign(letter) == foreign


def test_a_piece_that_cannot_be_spelled_stays(tiny_recipe: Recipe) -> None:
    tree = json.loads(load_base(tiny_recipe, TEXTS).tokenizer_json)
    vocabulary = tree["model"]["vocab"]
    del vocabulary["##ß"]
    vocabulary["straß"] = 5000  # its last letter has no form of its own any more
    assert 5000 in choose_pieces(tree, TEXTS, 230)


def test_layers_are_chosen_in_order(tiny_recipe: Recipe) -> None:
    whole, last = load_base(tiny_recipe, TEXTS), load_base(change(tiny_recipe, layers=[1]), TEXTS)
    assert last.model.config.num_hidden_layers == 1
    name = "bert.encoder.layer.{}.output.dense.weight"
    assert torch.equal(last.model.state_dict()[name.format(0)], whole.model.state_dict()[name.format(1)])
    with pytest.raises(BaseModelError, match=r"got \[2\]; 2 layers are there"):
        load_base(change(tiny_recipe, layers=[2]), TEXTS)


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
        (
            models.BPE({"a": 0}, []),
            r"has a BPE tokenizer without \[PAD\], .*; allowed is WordPiece with \[PAD\]",
        ),
        (models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"), r"tokenizer without \[PAD\], \[CLS\], "),
    ],
)
def test_another_kind_of_tokenizer_is_refused(
    tiny_recipe: Recipe, tmp_path: Path, model: models.Model, message: str
) -> None:
    folder = tiny.save_encoder(tmp_path / "other", "bert")
    Tokenizer(model).save(str(folder / "tokenizer.json"))
    with pytest.raises(BaseModelError, match=message):
        load_base(change(tiny_recipe, path=str(folder)), TEXTS)


def test_the_mirror_brings_base_models(tiny_recipe: Recipe, tmp_path: Path) -> None:
    tiny.save_encoder(tmp_path / "models" / "tests" / "tiny-bert", "bert")
    assert load_base(change(tiny_recipe, path=None), TEXTS, tmp_path).model.config.num_labels == 3


def test_the_normalizer_drops_links_control_characters_and_case(tiny_recipe: Recipe) -> None:
    normalize = build_normalizer(tiny_recipe.text).normalize_str
    assert normalize("$Aapl\x00 RISES https://t.co/a?b=c now") == "aapl rises  now"
    assert normalize("costs $5 in $ terms") == "costs $5 in $ terms"
    assert len(normalize("한" * 400)) == 116
    assert Tokenizer.from_str(load_base(tiny_recipe, TEXTS).tokenizer_json).normalizer is not None
