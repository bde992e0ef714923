from __future__ import annotations

import json

import pytest
import torch

from finsent.encoder.load import load_base
from finsent.encoder.vocabulary import choose_pieces, is_foreign
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from tests.finsent.encoder.samples import HARD, TEXTS, change, logits


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
    with pytest.raises(BaseModelError, match=f"allowed: {least} or more"):
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
    assert is_foreign(letter) == foreign


def test_a_piece_that_cannot_be_spelled_stays(tiny_recipe: Recipe) -> None:
    tree = json.loads(load_base(tiny_recipe, TEXTS).tokenizer_json)
    vocabulary = tree["model"]["vocab"]
    del vocabulary["##ß"]
    vocabulary["straß"] = 5000  # its last letter has no form of its own any more
    assert 5000 in choose_pieces(tree, TEXTS, 230)
