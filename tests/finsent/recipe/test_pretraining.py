from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.licences import pretraining_licence, recipe_licence
from finsent.recipe.file import dump_recipe, load_pretraining, load_recipe
from finsent.recipe.reference import PRETRAINING_PAGE, pretraining_page
from finsent.recipe.schema import PRETRAINING_SCHEMA_FILE, pretraining_schema
from tests import tiny
from tests.finsent.pretraining import samples

SHIPPED = sorted((REPOSITORY / "recipes" / "encoders").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_pretrainings_load_and_may_carry_their_licence(path: Path) -> None:
    recipe = load_pretraining(path)
    assert recipe.name == path.stem
    assert pretraining_licence(recipe).id == recipe.licence


def test_schema_and_page_in_the_repository_are_the_code_s() -> None:
    assert PRETRAINING_SCHEMA_FILE.read_text(encoding="utf-8") == pretraining_schema(), "run make generated"
    assert PRETRAINING_PAGE.read_text(encoding="utf-8") == pretraining_page(), "run make generated"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "clm"}, 'objective: got "clm"'),
        ({"base": None}, "give exactly one of base, to start from weights, and model"),
        ({"tokenizer": {"kind": "unigram"}}, "tokenizer: give it together with model"),
        (samples.T5 | {"hub": None}, "hub: an encoder without a base needs a name for cards"),
        (samples.T5 | {"model": {"hidden_size": 30, "heads": 4}}, "hidden_size must be a multiple of heads"),
        ({"licence": "cc-by-4.0"}, "licence: got 'cc-by-4.0', but a source demands 'cc-by-sa-4.0'"),
    ],
)
def test_errors_say_what_is_allowed(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        pretraining_licence(samples.load(tmp_path, tmp_path, **changes))


def test_a_recipe_of_the_other_story_names_its_command(tmp_path: Path) -> None:
    encoder, classifier = samples.write_pretraining(tmp_path, tmp_path), tiny.write_recipe(tmp_path, tmp_path)
    with pytest.raises(RecipeError, match=r"is a recipe of a pretraining; run python pretrain.py"):
        load_recipe(encoder)
    with pytest.raises(RecipeError, match=r"is a recipe of a classifier; run python train.py"):
        load_pretraining(classifier)


def start_from_encoder(folder: Path, **changes: Any) -> Path:
    """A pretraining in a folder of its own that protects the classifier which starts from it."""
    (folder / "own").mkdir()
    data = samples.pretraining_tree(folder)["data"] | {"protect": {"recipes": ["../tiny.yaml"]}}
    samples.write_pretraining(folder / "own", folder, data=data)
    base = {"recipe": "own/tiny-encoder.yaml"} | changes.pop("base", {})
    card = tiny.card_tree() | {"licence": "cc-by-sa-4.0"}
    return tiny.write_recipe(folder, folder, base=base, card=card, **changes)


def test_a_classifier_takes_hub_licence_and_texts_from_its_encoder(tmp_path: Path) -> None:
    recipe = load_recipe(start_from_encoder(tmp_path), tmp_path / "runs")
    assert recipe.base.recipe is not None and recipe.base.recipe.data.protect is not None
    assert [one.name for one in recipe.base.recipe.data.protect.recipes] == ["tiny"]  # a circle, and none
    assert (recipe.base.hub, recipe.base.licence) == ("tests/tiny-bert", "cc-by-sa-4.0")
    assert [origin.name for origin in recipe.origins] == ["rows", "news"]
    assert recipe_licence(recipe).id == "cc-by-sa-4.0"
    assert recipe.base.recipe.data.sources[0].path == "own"
    assert (recipe.runs, load_recipe(tmp_path / "tiny.yaml").runs) == (tmp_path / "runs", Path("runs"))


def test_licences_of_pretrained_texts_bind_the_release(tmp_path: Path) -> None:
    start_from_encoder(tmp_path)
    tree = yaml.safe_load((tmp_path / "tiny.yaml").read_text(encoding="utf-8"))
    tree["card"]["licence"] = "apache-2.0"
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(
        RecipeError, match=r"card.licence: got 'apache-2.0', but a source demands 'cc-by-sa-4.0'"
    ):
        recipe_licence(load_recipe(tmp_path / "tiny.yaml"))


def test_what_is_only_shown_does_not_make_another_encoder(tmp_path: Path) -> None:
    recipe = load_recipe(start_from_encoder(tmp_path)).base.recipe
    assert recipe is not None and recipe.data.protect is not None

    def changed(**changes: Any) -> str:
        data = recipe.data.model_dump()
        rows = data["protect"]["recipes"][0]
        rows["name"] = changes.pop("row_name", rows["name"])
        rows["data"]["sources"][0] |= changes.pop("row", {})
        data["sources"][0] |= changes
        return recipe.model_copy(update={"data": type(recipe.data).model_validate(data)}).fingerprint()

    shown = {"title": "Other", "homepage": "https://other.example", "row_name": "other"}
    assert changed(**shown, row={"show_texts": True, "title": "Other"}) == recipe.fingerprint()
    assert changed(max_repeats=3) != recipe.fingerprint() != changed(licence="mit")
    assert changed(row={"text": "other"}) != recipe.fingerprint()


def test_sequences_are_no_longer_than_the_positions(tmp_path: Path) -> None:
    model = {"model": {"positions": 64}, "tokenizer": {"kind": "wordpiece"}, "hub": "tests/own"}
    with pytest.raises(RecipeError, match=r"training\.length: got 128, but model\.positions is 64"):
        samples.load(tmp_path, tmp_path, training={"length": 128}, **model)
    assert samples.load(tmp_path, tmp_path, training={"length": 64}, **model).training.length == 64


def test_a_source_called_base_does_not_hide_behind_the_base(tmp_path: Path) -> None:
    source = samples.pretraining_tree(tmp_path)["data"]["sources"][0] | {"licence": "cc-by-nc-4.0"}
    for name in ("base", "news"):
        data = {"sources": [source | {"name": name}]}
        recipe = samples.load(tmp_path, tmp_path, data=data, licence="apache-2.0")
        with pytest.raises(RecipeError, match=r"got 'apache-2.0', but a source forbids commercial use"):
            pretraining_licence(recipe)


def test_a_dumped_recipe_holds_its_encoder(tmp_path: Path) -> None:
    recipe = load_recipe(start_from_encoder(tmp_path))
    (tmp_path / "below").mkdir()
    file = tmp_path / "below" / "copy.yaml"
    file.write_text(dump_recipe(recipe, file.parent), encoding="utf-8")
    again = load_recipe(file)
    assert again.base.recipe is not None and again.base.recipe.data.sources[0].path == "../own"
    assert again.base.recipe.data.protect is not None
    assert again.base.recipe.data.protect.recipes[0].data.sources[0].path == ".."
    assert dump_recipe(again, tmp_path) == dump_recipe(recipe, tmp_path)


def test_another_pretraining_is_another_making(tmp_path: Path) -> None:
    recipe = load_recipe(start_from_encoder(tmp_path))
    file = tmp_path / "own" / "tiny-encoder.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("epochs: 4", "epochs: 3"), encoding="utf-8")
    other = load_recipe(tmp_path / "tiny.yaml")
    assert other.making_fingerprint() != recipe.making_fingerprint()
    assert other.base.recipe is not None and recipe.base.recipe is not None
    assert other.base.recipe.fingerprint() != recipe.base.recipe.fingerprint()


@pytest.mark.parametrize(
    ("base", "changes", "message"),
    [
        ({"path": "own"}, {}, "path: recipe says where the encoder comes from; leave path out"),
        ({"licence": "mit"}, {}, "licence: got 'mit', but the encoder of tiny-encoder has 'cc-by-sa-4.0'"),
        ({}, {"name": "tiny-encoder"}, "another recipe is also called 'tiny-encoder'; rename one"),
    ],
)
def test_what_contradicts_the_encoder_is_refused(
    tmp_path: Path, base: dict[str, str], changes: dict[str, str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(start_from_encoder(tmp_path, base=base, **changes))
