from __future__ import annotations

import json

from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from tests.finsent.encoder.samples import TEXTS


def test_the_tokenizer_cleans_and_neither_cuts_nor_pads(tiny_recipe: Recipe) -> None:
    base = load_base(tiny_recipe, TEXTS)
    tree = json.loads(base.tokenizer_json)
    assert tree["truncation"] is None
    assert tree["padding"] is None
    ids = base.tokenizer()(["$AAPL beats https://t.co/x", "aapl beats"])["input_ids"]
    assert ids[0] == ids[1]
