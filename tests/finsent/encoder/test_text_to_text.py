from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, T5ForConditionalGeneration

from finsent.encoder.end_token import frame_texts
from finsent.encoder.load import load_base
from finsent.encoder.text_to_text import LARGEST, TextToText, load_plain
from finsent.encoder.tokenizer_file import read_tokenizer
from finsent.errors import BaseModelError
from finsent.recipe.encoder import TextToText as Form
from finsent.recipe.recipe import Recipe
from finsent.training.temperature import fold_temperature
from tests import tiny_encoders
from tests.finsent.encoder.samples import TEXTS, change

ENDS = ["profit </s> rose", "</s>", "</s></s> <pad>", "<extra_id_0> fell", "", "sales </s> "]
WORDS = {"negative": "fell", "neutral": "sales", "positive": "rose"}


@pytest.fixture
def recipe(tiny_recipe: Recipe, tmp_path: Path) -> Recipe:
    """A recipe that lets a tiny T5 answer by words."""
    form = Form(prefix="report: ", words=WORDS)
    text = tiny_recipe.text.model_copy(update={"lowercase": False, "max_characters": 100})
    told = change(tiny_recipe, path=str(tiny_encoders.save_t5(tmp_path / "t5")), text_to_text=form)
    return told.model_copy(update={"text": text})


def logits(model: Any, tokenizer: Any, texts: list[str]) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    return found


@pytest.mark.parametrize("tied", [True, False])
def test_logits_are_those_of_the_first_step_at_the_words(recipe: Recipe, tied: bool, tmp_path: Path) -> None:
    path = tiny_encoders.save_t5(tmp_path / "other", tie_word_embeddings=tied)
    base = load_base(change(recipe, path=str(path)), TEXTS)
    tokenizer, asked = base.tokenizer(), T5ForConditionalGeneration.from_pretrained(path).eval()
    words = [tokenizer.tokenize(WORDS[label]) for label in recipe.labels]
    pieces = tokenizer.convert_tokens_to_ids([next(one for one in word if one != "▁") for word in words])
    encoded = tokenizer(TEXTS[:9], padding=True, return_tensors="pt")
    start = torch.zeros((9, 1), dtype=torch.long)
    with torch.inference_mode():
        expected = asked(**encoded, decoder_input_ids=start).logits[:, 0, pieces]
    assert tokenizer.unk_token_id not in pieces and len(set(pieces)) == 3
    assert torch.allclose(logits(base.model, tokenizer, TEXTS[:9]), expected, atol=1e-5)


def test_a_plain_classifier_answers_as_the_first_step_does(recipe: Recipe, tmp_path: Path) -> None:
    base = load_base(recipe, TEXTS)
    assert isinstance(base.model, TextToText)
    fold_temperature(base.model, 0.3)
    base.save(tmp_path / "saved")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert type(plain).__name__ == plain.config.architectures[0] == "T5ForSequenceClassification"
    again, tokenizer = load_plain(tmp_path / "saved"), AutoTokenizer.from_pretrained(tmp_path / "saved")
    texts = TEXTS[:20] + ENDS
    expected = logits(base.model, base.tokenizer(), texts)
    assert torch.allclose(logits(plain, tokenizer, texts), expected, rtol=1e-5, atol=1e-4)
    assert torch.equal(logits(again, tokenizer, texts), expected)
    assert plain.classification_head.dense.weight.diagonal().max() * 32**0.5 <= LARGEST


def test_the_prefix_comes_before_every_text_and_the_end_token_first(recipe: Recipe) -> None:
    tokenizer = load_base(recipe, TEXTS).tokenizer()
    prefix = tokenizer("report:", add_special_tokens=False)["input_ids"]
    for text in ENDS:
        ids = tokenizer(text)["input_ids"]
        assert ids[: 1 + len(prefix)] == [1, *prefix] and ids.count(1) == 1
    whole = tokenizer("report: rose", add_special_tokens=False)["input_ids"]
    assert tokenizer("rose")["input_ids"] == [1, *whole]


def test_a_head_reads_one_end_token_behind_every_text(recipe: Recipe) -> None:
    base = load_base(change(recipe, text_to_text=None), TEXTS)
    for text in ENDS:
        ids = base.tokenizer()(text)["input_ids"]
        assert ids[-1] == 1 and ids.count(1) == 1
    together = logits(base.model, base.tokenizer(), ENDS)
    alone = torch.cat([logits(base.model, base.tokenizer(), [text]) for text in ENDS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_release_that_answers_by_words_may_be_the_base_of_one_with_a_head(
    recipe: Recipe, tmp_path: Path
) -> None:
    load_base(change(recipe, slim_attention=True), TEXTS).save(tmp_path / "words")
    path = str(tmp_path / "words")
    base = load_base(change(recipe, path=path, text_to_text=None), TEXTS)
    base.save(tmp_path / "head")
    plain, tokenizer = load_plain(tmp_path / "head"), base.tokenizer()
    expected = logits(base.model, tokenizer, TEXTS[:9])
    assert torch.allclose(logits(plain, tokenizer, TEXTS[:9]), expected, atol=1e-5)


def test_a_release_that_is_taken_as_a_base_keeps_its_words(recipe: Recipe, tmp_path: Path) -> None:
    base = load_base(recipe, TEXTS)
    base.save(tmp_path / "teacher")
    again = load_base(recipe, TEXTS, teacher=tmp_path / "teacher")
    assert again.tokenizer_json == base.tokenizer_json
    expected = logits(base.model, base.tokenizer(), TEXTS[:5])
    assert torch.equal(logits(again.model, again.tokenizer(), TEXTS[:5]), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": WORDS | {"neutral": "fell"}}, "words: 'fell' begins as 'fell' does; choose another word"),
        ({"words": WORDS | {"neutral": "☃"}}, "words: '☃' has no piece in the vocabulary"),
        ({"prefix": "a b c d e f g h i j k:"}, "prefix: .* pieces, allowed are 10; write a shorter one"),
    ],
)
def test_words_and_prefix_must_be_such_as_the_tokenizer_can_tell(
    recipe: Recipe, changes: dict[str, object], message: str
) -> None:
    form = Form(prefix="report: ", words=WORDS).model_copy(update=changes)
    with pytest.raises(BaseModelError, match=message):
        load_base(change(recipe, text_to_text=form), TEXTS)


def test_what_has_no_decoder_or_no_output_embedding_is_refused(
    recipe: Recipe, tiny_base: Path, tmp_path: Path
) -> None:
    with pytest.raises(BaseModelError, match=r"text_to_text: tests/tiny-bert has no decoder .* use a T5"):
        load_base(change(recipe, path=str(tiny_base)), TEXTS)
    bare = tiny_encoders.save_encoder(tmp_path / "bare", "t5", tie_word_embeddings=False)
    with pytest.raises(BaseModelError, match="text_to_text: tests/tiny-bert has no lm_head"):
        load_base(change(recipe, path=str(bare)), TEXTS)
    with pytest.raises(
        BaseModelError, match=r"base\.vocabulary: .* has a decoder, so its pieces cannot be cut"
    ):
        load_base(change(recipe, vocabulary=500), TEXTS)


def test_every_label_has_a_word(recipe: Recipe) -> None:
    told = recipe.model_dump(mode="json")
    told["base"]["text_to_text"]["words"].pop("neutral")
    with pytest.raises(ValueError, match="the label 'neutral' has no word; every label needs one"):
        Recipe.model_validate(told)
    told["base"]["text_to_text"]["words"] = WORDS | {"mixed": "flat"}
    with pytest.raises(ValueError, match=r"base\.text_to_text\.words: unknown label 'mixed'"):
        Recipe.model_validate(told)


def test_a_tokenizer_that_finds_the_end_token_in_texts_is_refused(recipe: Recipe) -> None:
    tokenizer = read_tokenizer(Path(str(recipe.base.path)), recipe.text, "tests/t5")
    plain = replace(tokenizer, tree=tokenizer.tree | {"pre_tokenizer": None, "normalizer": None})
    with pytest.raises(BaseModelError, match=r"has a Unigram tokenizer that finds '</s>' in texts; choose"):
        frame_texts(plain, end=1, name="tests/t5")
