from __future__ import annotations

from tokenizers import Tokenizer

from finsent.encoder.load import load_base
from finsent.encoder.text_rules import build_normalizer
from finsent.recipe.recipe import Recipe
from tests.finsent.encoder.samples import TEXTS


def test_the_normalizer_drops_links_control_characters_and_case(tiny_recipe: Recipe) -> None:
    normalize = build_normalizer(tiny_recipe.text).normalize_str
    assert normalize("$Aapl\x00 RISES https://t.co/a?b=c now") == "aapl rises  now"
    assert normalize("costs $5 in $ terms") == "costs $5 in $ terms"
    assert len(normalize("한" * 400)) == 116
    assert Tokenizer.from_str(load_base(tiny_recipe, TEXTS).tokenizer_json).normalizer is not None
