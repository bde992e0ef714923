from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.recipe.file import address_recipe, dump_recipe, load_recipe, read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.recipe.renamed import RENAMED, find_old_keys, with_first_names, with_new_names
from tests.finsent.recipe.samples import write_recipe

FIRST_WORDS = {  # of today's recipes; headlines was called quickstart, and had fewer rows
    '"name":"headlines","version"': '"name":"quickstart","version"',
    "finsent headlines model": "finsent quickstart",
    "finsent/finsent-headlines": "finsent/finsent-quickstart",
    "the rest is ignored.": "what stands behind has no influence.",
    '["train.csv","statements.csv","posts.csv"]': '["train.csv"]',
}
FIRST_KEYS = {  # finsent-tiny's; it is version 0.2.0 and has other teachers now
    "finsent-tiny": {
        "version": "0.1.0",
        "distillation": {"teachers": [str(REPOSITORY / "recipes" / "finsent-teacher.yaml")], "seeds": [1, 2]},
        "card": {"licence": "cc-by-nc-sa-3.0"},
    }
}
TAUGHT = REPOSITORY / "recipes" / "finsent-tiny.yaml"


@pytest.mark.parametrize(
    ("name", "fingerprint", "making"),
    [
        (
            "headlines",
            "528614174bd6f95a570d381a0f1c97e6b248c7e6b8616d1427b48e2d3b986f34",
            "0a794b3eea132f9aa4b53e14b2835fe0e25b0284187fefe4b22337ce96f87647",
        ),
        (
            "finsent-tiny",
            "d46b94e57ae26158ff51ca3f2223448bc9156c5827be321e3f5c994f4dbd83a8",
            "70b75595e3d08990f4aa98d5d31ef1ace61635483bf773404dfcf63aa7528db7",
        ),
    ],
)
def test_fingerprints_are_what_they_were_under_the_first_names(
    name: str, fingerprint: str, making: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(
        yaml.safe_dump({"extends": str(REPOSITORY / "recipes" / file.name)} | FIRST_KEYS.get(name, {})),
        encoding="utf-8",
    )
    recipe = without_later_words(load_recipe(file))
    assert (recipe.fingerprint(), recipe.making_fingerprint()) == (fingerprint, making)


def without_later_words(recipe: Recipe) -> Recipe:
    """Return a recipe, and its teachers, as they were before a card had words of its own for the demo."""
    later = {"unit", "tones", "pair", "notice", "emoji", "short_description"}
    text = recipe.model_dump_json()
    for new, old in FIRST_WORDS.items():
        text = text.replace(new, old)
    tree = json.loads(text)
    for one in (tree, *(tree.get("distillation") or {}).get("teachers", [])):
        one["card"] = {key: value for key, value in one["card"].items() if key not in later} | {"changes": {}}
        del one["evaluation"]["suites"]
    return Recipe.model_validate(tree)


def test_every_key_that_has_another_name_is_renamed_both_ways() -> None:
    tree = load_recipe(TAUGHT).model_dump(mode="json")  # with teachers and every key
    first = with_first_names(tree)
    assert find_old_keys(first).keys() == RENAMED.keys()
    assert find_old_keys(tree) == {}
    assert find_old_keys({"distillation": {"teachers": [{"base": {"width": 8}}]}}) == {
        "base.width": "base.hidden_size"
    }
    assert with_new_names(first) == tree
    assert yaml.safe_dump(with_new_names(first), sort_keys=False) == yaml.safe_dump(tree, sort_keys=False)


@pytest.mark.parametrize("where", ["itself", "extended", "teacher"])
def test_a_recipe_file_with_an_old_key_is_refused_by_the_new_one(where: str, tmp_path: Path) -> None:
    write_recipe(tmp_path, base={"hub": "a/b", "licence": "mit", "width": 128})
    recipe = tmp_path / "recipe.yaml"
    if where == "itself":
        recipe = tmp_path / "tiny.yaml"
    elif where == "extended":
        recipe.write_text("extends: tiny.yaml\n", encoding="utf-8")
    else:
        recipe.write_text("distillation: {teachers: [tiny.yaml]}\n", encoding="utf-8")
    message = r"tiny\.yaml: base\.width: is now called base\.hidden_size; rename it in the file$"
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe)


def test_a_release_is_read_by_first_names_and_by_new_ones(tmp_path: Path) -> None:
    recipe = load_recipe(TAUGHT)
    for tree in (recipe.model_dump(mode="json"), with_first_names(recipe.model_dump(mode="json"))):
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
        assert read_released_recipe(tmp_path / "recipe.yaml") == recipe


def test_another_address_changes_nothing_else_in_a_release_of_before(tmp_path: Path) -> None:
    recipe = load_recipe(TAUGHT)
    path = tmp_path / "recipe.yaml"
    path.write_text(_dump_first(recipe), encoding="utf-8")
    addressed = address_recipe(path, "me/mine", "me/demo")
    hub = recipe.hub.model_copy(update={"model": "me/mine", "space": "me/demo"})
    assert addressed == _dump_first(recipe.model_copy(update={"hub": hub}))


def _dump_first(recipe: Recipe) -> str:
    tree = with_first_names(yaml.safe_load(dump_recipe(recipe)))
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=110)
