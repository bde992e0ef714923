from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.recipe.data import TableSource
from finsent.recipe.file import dump_recipe, load_recipe
from tests import tiny
from tests.finsent.recipe.samples import write_recipe


def test_a_source_needs_one_place(tmp_path: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tmp_path)
    tree["data"]["sources"][0]["hub"] = "owner/name"
    with pytest.raises(RecipeError, match="exactly one of path and hub"):
        load_recipe(write_recipe(tmp_path, data=tree["data"]))


def test_a_source_is_left_out_of_what_another_recipe_uses(tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [fpb]}}\n"
    )
    recipe = load_recipe(tmp_path / "open.yaml")
    assert [source.name for source in recipe.data.sources] == ["headlines", "tfns", "sentfin"]
    assert recipe.data.leave_out == []
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [phrasebank]}}\n"
    )
    with pytest.raises(RecipeError, match=r"leave_out: unknown source 'phrasebank', allowed: .*'fpb'"):
        load_recipe(tmp_path / "open.yaml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{leave_out: fpb}", "data.leave_out"),
        ("{leave_out: [1], sources: [2]}", "data.leave_out.0"),
        ("{leave_out: [fpb], sources: 3}", "data.sources"),
        ("[leave_out]", "data: "),
    ],
)
def test_leaving_out_in_another_form_is_refused_by_name(data: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {data}\n"
    )
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "open.yaml")


SOURCE = {"kind": "table", "name": "s", "title": "S", "licence": "mit", "path": ".", "labels": {"a": "b"}}
FILES = {"files": {"train": ["rows.csv"]}}
HUB = {"path": None, "hub": "owner/name", "splits": {"train": "train"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "files: give at least one file"),
        (FILES | HUB, "exactly one of files and splits"),
        ({"splits": {"train": "train"}}, "splits: is for Hub data sets; give hub"),
        (HUB | {"url": "https://example.org"}, "splits: is for Hub data sets"),
        (HUB | {"delimiter": ";"}, "delimiter: is for files; leave it out with splits"),
        (FILES | {"config": "plain"}, "config: is for splits of a Hub data set"),
        (FILES | {"encoding": "rot13"}, "'rot13' is not a text encoding; utf-8, utf-16, cp1252"),
        (FILES | {"encoding": "utf8mb4"}, "'utf8mb4' is not a text encoding"),
        (FILES | {"delimiter": "||"}, "delimiter"),
        (FILES | {"delimiter": "\n"}, "cannot separate cells"),
        (FILES | {"quoting": "single"}, "'doubled', 'backslash' or 'none'"),
        (FILES | {"take": 0}, "greater than or equal to 1"),
        ({"files": {"train": []}}, "at least 1 item"),
        ({"files": {"dev": ["rows.csv"]}}, "'train', 'validation' or 'test'"),
    ],
)
def test_keys_of_a_table_that_do_not_fit_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TableSource.model_validate(SOURCE | changes)


def test_new_keys_at_their_defaults_are_not_dumped() -> None:
    """A recipe from before them keeps its fingerprint."""
    dumped = TableSource.model_validate(SOURCE | FILES).model_dump()
    assert list(dumped) == [
        "name", "title", "licence", "homepage", "path", "hub", "revision", "url", "files", "labels",
        "show_texts", "kind", "text", "label", "group", "slice",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("labels: {a: no}", r"data.sources.0.*labels.a: got false; .*; write it in quotes"),
        ("labels: {no: a}", r"labels.no \(line 4\): this key is False"),
        ("where: {language: [no]}", r"where.language.0: got false; .*; write it in quotes"),
        ("columns: [text, yes]", r"columns.1: got true; .*; write it in quotes"),
        ("where: {y: [a]}", "where.y .*write 'y': in quotes"),
    ],
)
def test_yes_and_no_are_refused_wherever_a_source_has_words(line: str, said: str, tmp_path: Path) -> None:
    source = "kind: table, name: s, title: S, licence: mit, path: ., files: {train: [a.csv]}"
    write_recipe(tmp_path)
    (tmp_path / "odd.yaml").write_text(
        f"extends: tiny.yaml\ndata:\n  sources:\n    - {{{source}, {line}}}\n", encoding="utf-8"
    )
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "odd.yaml")


def test_a_label_may_be_mapped_away_and_comes_back_from_a_release(tmp_path: Path) -> None:
    source = tiny.recipe_tree(tmp_path, tmp_path)["data"]["sources"][0]
    maps = source["labels"] | {"mixed": None}
    path = write_recipe(tmp_path, data={"sources": [source | {"labels": maps}]})
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_recipe(load_recipe(path)), encoding="utf-8")
    assert load_recipe(copy).data.sources[0].labels == maps


def test_names_differ_between_rows_and_texts_too(tmp_path: Path) -> None:
    data = tiny.recipe_tree(tmp_path, tmp_path)["data"]
    texts = {"name": "rows", "title": "T", "licence": "mit", "path": ".", "files": ["a.txt"]}
    with pytest.raises(RecipeError, match="source names must differ"):
        load_recipe(write_recipe(tmp_path, data=data | {"unlabelled": [texts]}))
