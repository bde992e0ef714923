from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.licences import recipe_licence
from finsent.recipe.file import dump_recipe, load_recipe
from finsent.yaml_dialects import HubYaml, Yaml12
from tests import tiny
from tests.finsent.recipe.samples import write_recipe, write_taught

RECIPES = sorted((REPOSITORY / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_load_and_may_carry_their_licence(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    assert recipe_licence(recipe).id == recipe.card.licence
    if path.stem.endswith("open"):
        for one in (recipe, *recipe.teachers):
            assert "fpb" not in [source.name for source in one.data.sources]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sead": 3}, "sead: unknown key; did you mean seed\\? docs/recipe-keys.md lists all keys"),
        ({"xyzzy": 3}, "xyzzy: unknown key; docs/recipe-keys.md lists all keys"),
        ({"seed": -1}, r"seed: got -1; input should be greater than or equal to 0"),
        ({"seed": "one"}, r'seed: got "one"; input should be a valid integer'),
        ({"training": {"epochs": 0}}, r"training.epochs: got 0; input should be greater than 0"),
        ({"training": {"epoch": 1}}, r"training.epoch: unknown key; did you mean training.epochs\?"),
        ({"labels": ["up", "down"]}, r"unknown label 'negative', allowed: \['up', 'down'\]"),
        ({"labels": ["negative", "negative"]}, "labels must differ"),
        ({"export": {"variants": [{"name": "quantized"}]}}, "start with fp32"),
    ],
)
def test_errors_name_the_key_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(write_recipe(tmp_path, **changes))


def test_extends_merges_mappings_and_replaces_lists(tmp_path: Path) -> None:
    write_recipe(tmp_path)
    child = tmp_path / "child.yaml"
    child.write_text("extends: tiny.yaml\nname: child\ntraining: {epochs: 9}\ncard: {limits: [one]}\n")
    recipe = load_recipe(child)
    assert (recipe.name, recipe.training.epochs, recipe.training.batch_size) == ("child", 9, 8)
    assert recipe.card.limits == ["one"]


def test_a_recipe_cannot_extend_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(RecipeError, match=r"extends itself through a.yaml -> b.yaml"):
        load_recipe(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [", "is not YAML"), (b"- a", "must be a mapping"), (b"\xff", "cannot be read")],
)
def test_what_is_no_recipe_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(tmp_path / "x.yaml")
    assert "\n" not in str(caught.value)


def test_the_resolved_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPES[0])
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(copy) == recipe
    assert load_recipe(copy).fingerprint() == recipe.fingerprint()
    assert "extends" not in yaml.safe_load(copy.read_text(encoding="utf-8"))


def test_a_teacher_is_read_from_its_file_and_kept_whole(tmp_path: Path) -> None:
    recipe = load_recipe(write_taught(tmp_path, training={"seed": 5}))
    assert [(teacher.name, teacher.training_seed) for teacher in recipe.teachers] == [("teacher", 5)]
    assert recipe.training_seed == recipe.seed
    copy = tmp_path / "elsewhere" / "recipe.yaml"
    copy.parent.mkdir()
    copy.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(copy) == recipe


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("version: 2026-11-21", "put dates in quotes"),
        ("2026-11-21: x", "write '2026-11-21': in quotes"),
        ("card: &card {title: *card}", "let no part contain itself|undefined alias"),
        ("training: {weight_decay: .inf}", "training.weight_decay"),
    ],
)
def test_yaml_that_no_recipe_can_hold_is_refused_in_one_line(line: str, said: str, tmp_path: Path) -> None:
    write_recipe(tmp_path)
    (tmp_path / "odd.yaml").write_text(f"extends: tiny.yaml\n{line}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "odd.yaml")


KEYS = (
    *("yes", "no", "On", "y", "null", "~", "1", "1e3"),
    *("08", "0o17", "12:30", "2026-01-02", "=", ".inf", "0x1F"),
)


@pytest.mark.parametrize("key", KEYS)
def test_a_label_that_some_reader_takes_for_no_text_is_refused_by_name(key: str, tmp_path: Path) -> None:
    text = write_recipe(tmp_path).read_text(encoding="utf-8")
    odd = tmp_path / "odd.yaml"
    odd.write_text(text.replace("      positive: positive", f"      {key}: positive"), encoding="utf-8")
    assert odd.read_text(encoding="utf-8") != text
    with pytest.raises(RecipeError, match=re.escape(f"write '{key}': in quotes")) as caught:
        load_recipe(odd)
    assert re.search(rf"data\.sources\.0\.labels\.{re.escape(key)} \(line \d+\)", str(caught.value))


@pytest.mark.parametrize("labels", [["yes", "no", "null"], ["7e5", "08", "1e3"], ["~", "12:30:45", "="]])
def test_labels_that_need_quotes_come_back_in_every_dialect(labels: list[str], tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    source = recipe.data.sources[0]
    maps = dict(zip(labels, source.labels.values(), strict=True))
    sources = [source.model_copy(update={"labels": maps}), *recipe.data.sources[1:]]
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"sources": sources})})
    text = dump_recipe(recipe)
    for dialect in (yaml.SafeLoader, Yaml12, HubYaml):
        assert yaml.load(text, dialect)["data"]["sources"][0]["labels"] == maps
    (tmp_path / "copy.yaml").write_text(text, encoding="utf-8")
    assert load_recipe(tmp_path / "copy.yaml") == recipe


def test_a_value_that_is_no_text_is_told_to_be_quoted(tmp_path: Path) -> None:
    write_recipe(tmp_path)
    (tmp_path / "odd.yaml").write_text("extends: tiny.yaml\nlabels: [no, yes]\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"labels\.0: got false; .*; write it in quotes"):
        load_recipe(tmp_path / "odd.yaml")


def test_a_recipe_cannot_teach_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("distillation: {teachers: [a.yaml]}\n")
    with pytest.raises(RecipeError, match="extends itself"):
        load_recipe(tmp_path / "a.yaml")


def test_an_extending_recipe_replaces_the_parts_that_it_names(tmp_path: Path, tiny_base: Path) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    child = tmp_path / "child.yaml"
    changed = {
        "extends": "tiny.yaml",
        "replace": ["labels", "card.label_meanings", "card.tones", "data.sources"],
        "labels": ["ham", "spam"],
        "data": {"sources": [SPAM]},
        "card": {
            "label_meanings": {"ham": "wanted", "spam": "unwanted"},
            "tones": {"ham": "good"},
            "examples": [EXAMPLE],
        },
    }
    child.write_text(yaml.safe_dump(changed), encoding="utf-8")
    recipe = load_recipe(child)
    assert recipe.labels == ["ham", "spam"]
    assert recipe.card.label_meanings == {"ham": "wanted", "spam": "unwanted"}
    assert recipe.data.validation == 0.2
    assert yaml.safe_load(dump_recipe(recipe)).keys().isdisjoint({"extends", "replace"})


SPAM = {
    "kind": "table",
    "name": "mails",
    "title": "mails",
    "licence": "cc0-1.0",
    "path": ".",
    "files": {"train": ["mails.csv"]},
    "labels": {"ham": "ham", "spam": "spam"},
}
EXAMPLE = {"title": "Prize", "text": "You won a prize", "expected": "spam"}


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ("card.tons", r"replace: the extended recipe has no 'card.tons'; leave it out"),
        ("labels.x.y", r"has no 'labels.x.y'"),
        (None, r"replace: got \[3\]; write keys"),
    ],
)
def test_a_part_that_is_not_there_cannot_be_replaced(
    replace: str | None, message: str, tmp_path: Path, tiny_base: Path
) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    told = yaml.safe_dump({"extends": "tiny.yaml", "replace": [replace or 3]})
    (tmp_path / "child.yaml").write_text(told, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        load_recipe(tmp_path / "child.yaml")
