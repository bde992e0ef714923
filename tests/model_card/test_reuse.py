from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from finsent.data.splits import load_splits
from finsent.preparation import prepare_splits, prepare_transfer
from finsent.recipe.file import dump_recipe, load_recipe
from finsent.recipe.renamed import find_old_keys, with_first_names
from finsent.release import METRICS, RECIPE
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
    assert was_made_from(release, recipe, splits, None) is (change in ("", "card", "names"))


@pytest.mark.parametrize("change", ["", "texts", "release from before", "texts gone"])
def test_texts_without_labels_are_a_part_of_what_it_was_made_from(
    change: str, tiny_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = tiny_release.parents[2] / "tiny.yaml"
    news = {"name": "news", "title": "News", "licence": "cc-by-4.0", "path": ".", "files": ["news.txt"]}
    plan = {"teachers": [str(tiny)], "transfer": 2}
    tree = {"extends": str(tiny), "name": "taught", "distillation": plan, "data": {"unlabelled": [news]}}
    (tmp_path / "taught.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    (tmp_path / "news.txt").write_text("Arvo signs\nBelmi sells", encoding="utf-8")
    recipe = load_recipe(tmp_path / "taught.yaml")
    splits = prepare_splits(recipe, None)
    drawn = prepare_transfer(recipe, splits, None)
    assert drawn is not None
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    (release / RECIPE).write_text(dump_recipe(recipe, tmp_path), encoding="utf-8")
    metrics = json.loads((release / METRICS).read_text(encoding="utf-8"))
    learnt = {"texts": 2, "repeated": 0, "near": 0, "digest": drawn.digest()}
    if change == "release from before":
        del learnt["digest"]
    metrics["training"]["transfer"] = learnt
    (release / METRICS).write_text(json.dumps(metrics), encoding="utf-8")
    if change:
        (tmp_path / "news.txt").write_text("Arvo signs\nCando buys", encoding="utf-8")
    if change == "texts gone":
        (tmp_path / "news.txt").unlink()
    capsys.readouterr()
    assert was_made_from(release, recipe, splits, None) is (change != "texts")
    told = capsys.readouterr().err
    assert ("taught is used as it is; whether its texts without labels changed" in told) is (
        change == "texts gone"
    )
