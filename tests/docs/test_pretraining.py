"""The recipe and the section in docs/pretraining.md are read as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from finsent.licences import pretraining_licence
from finsent.recipe.file import load_recipe
from tests import tiny

PAGE = (tiny.ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_recipe_on_the_page_makes_an_encoder_for_the_one_that_it_protects(tmp_path: Path) -> None:
    encoder, base = BLOCKS
    (tmp_path / "my-encoder.yaml").write_text(encoder, encoding="utf-8")
    tree = yaml.safe_load(tiny.write_recipe(tmp_path, tmp_path).read_text(encoding="utf-8"))
    classifier = tmp_path / "my-classifier.yaml"
    classifier.write_text(yaml.safe_dump(tree | yaml.safe_load(base)), encoding="utf-8")
    recipe = load_recipe(classifier)
    made = recipe.base.recipe
    assert made is not None and made.name == "my-encoder" and recipe.base.hub == made.encoder_hub
    assert made.data.protect is not None
    assert [one.name for one in made.data.protect.recipes] == [recipe.name]
    assert pretraining_licence(made).id == made.licence
