from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from finsent.data.splits import load_splits
from finsent.recipe.file import load_recipe
from finsent.recipe.renamed import find_old_keys, with_first_names
from finsent.release import RECIPE
from model_card.reuse import was_made_from


@pytest.mark.parametrize("change", ["", "card", "names", "recipe", "rows", "version", "nothing there"])
def test_a_release_was_made_from_a_recipe_and_rows(change: str, tiny_release: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    recipe = load_recipe(tiny_release.parents[2] / "tiny.yaml")
    splits = load_splits(recipe)
    if change == "card":  # its words decide no weight
        recipe = recipe.model_copy(update={"card": recipe.card.model_copy(update={"summary": "other"})})
    elif change == "names":  # a release from before keys were renamed
        first = with_first_names(recipe.model_dump(mode="json"))
        assert find_old_keys(first)
        (release / RECIPE).write_text(yaml.safe_dump(first), encoding="utf-8")
    elif change == "recipe":
        recipe = recipe.model_copy(update={"seed": recipe.seed + 1})
    elif change == "rows":
        splits.report.fingerprints["train"] = "0" * 64
    elif change == "version":
        (release / RECIPE).write_text("an_old_key: 1\n", encoding="utf-8")
    elif change == "nothing there":
        release = tmp_path / "nowhere"
    assert was_made_from(release, recipe, splits) is (change in ("", "card", "names"))
