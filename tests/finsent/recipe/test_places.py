from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.encoder.find import find_base
from finsent.errors import DataError, RecipeError
from finsent.recipe.file import dump_recipe, load_recipe, read_released_recipe
from finsent.recipe.places import with_places_from
from finsent.recipe.recipe import Recipe
from model_card.behaviour.cases import read_suites
from tests import tiny
from tests.finsent.recipe.samples import write_recipe, write_taught


def place(file: Path, path: str) -> Path:
    tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    tree["data"]["sources"][0]["path"] = path
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return file


def path_of(recipe: Recipe) -> str | None:
    return recipe.data.sources[0].path


def count_rows(recipe: Recipe) -> int:
    return len(read_source(recipe.data.sources[0], Places(home=recipe.home)).rows)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A recipe with its rows in a folder beside it."""
    (tmp_path / "own" / "rows").mkdir(parents=True)
    file = write_recipe(tmp_path / "own")
    (tmp_path / "own" / "rows.csv").rename(tmp_path / "own" / "rows" / "rows.csv")
    return place(file, "rows")


def test_rows_lie_beside_the_recipe_wherever_it_is_started(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count_rows(load_recipe(own)) == 90
    monkeypatch.chdir(own.parent)
    recipe = load_recipe(Path(own.name))
    assert (path_of(recipe), count_rows(recipe)) == ("rows", 90)


def test_a_recipe_that_extends_another_reads_the_rows_beside_that(own: Path) -> None:
    child = own.parents[1] / "child.yaml"
    child.write_text("extends: own/tiny.yaml\nname: child\n", encoding="utf-8")
    assert (path_of(load_recipe(child)), count_rows(load_recipe(child))) == ("own/rows", 90)


def test_a_teacher_in_another_folder_has_the_same_rows(own: Path) -> None:
    student = own.parents[1] / "student.yaml"
    student.write_text(
        "extends: own/tiny.yaml\nname: student\ndistillation: {teachers: [own/tiny.yaml]}\n", encoding="utf-8"
    )
    recipe = load_recipe(student)
    assert [path_of(one) for one in (recipe, *recipe.teachers)] == ["own/rows", "own/rows"]
    assert [count_rows(one) for one in (recipe, *recipe.teachers)] == [90, 90]


def test_an_absolute_path_is_kept_relative_to_the_recipe(own: Path) -> None:
    recipe = load_recipe(place(own, str(own.parent / "rows")))
    assert (path_of(recipe), count_rows(recipe)) == ("rows", 90)
    assert str(own.parent) not in yaml.safe_dump(recipe.model_dump(mode="json")["data"])


def test_a_path_that_shares_no_folder_is_refused(own: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"tiny.yaml: data.sources.rows.path: got '/nowhere/rows', which would be publ"
    ):
        load_recipe(place(own, "/nowhere/rows"))


def change(file: Path, **changes: object) -> Path:
    tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    for where, value in changes.items():
        *sections, last = where.split("__")
        owner = tree
        for name in sections:
            owner = owner[int(name) if name.isdigit() else name]
        owner[last] = value
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return file


TEXTS = {"name": "more", "title": "More", "licence": "mit", "files": ["a.txt"]}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("base__path", "base.path"),
        ("evaluation__suites", "evaluation.suites.0"),
        ("data__unlabelled", "data.unlabelled.more.path"),
    ],
)
def test_every_folder_is_kept_relative_or_refused(own: Path, key: str, told: str) -> None:
    def value(path: str) -> object:
        return {"base__path": path, "evaluation__suites": [path]}.get(key, [TEXTS | {"path": path}])

    (own.parent / "here").mkdir()
    recipe = load_recipe(change(own, **{key: value(str(own.parent / "here"))}))
    assert str(own.parent) not in dump_recipe(recipe) and "here" in dump_recipe(recipe)
    child = own.parents[1] / "child.yaml"
    child.write_text("extends: own/tiny.yaml\nname: child\n", encoding="utf-8")
    assert "own/here" in dump_recipe(load_recipe(child))
    with pytest.raises(RecipeError, match=rf"tiny.yaml: {told}: got '/nowhere', which would be published"):
        load_recipe(change(own, **{key: value("/nowhere")}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"data__sources__0__files": {"train": ["/a/rows.csv"]}},
            "data.sources.rows.files.train.0: got '/a/r",
        ),
        (
            {"data__unlabelled": [TEXTS | {"path": ".", "files": ["/a/b.txt"]}]},
            "data.unlabelled.more.files.0",
        ),
        ({"base__folder": "/a/b"}, "base.folder: got '/a/b'"),
        (
            {
                "data__sources__0__path": None,
                "data__sources__0__hub": "a/b",
                "data__sources__0__url": "file:///a",
            },
            "data.sources.rows.url: got 'file:///a', which is on this machine",
        ),
    ],
)
def test_what_stands_in_a_folder_does_not_say_where_on_this_machine(
    own: Path, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(RecipeError, match=rf"{told}.* would be published with the release"):
        load_recipe(change(own, **changes))


def test_a_teacher_says_no_absolute_path_either(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    base = {"path": str(tmp_path / "there"), "hub": "tests/tiny-bert", "licence": "apache-2.0"}
    recipe = load_recipe(write_taught(tmp_path, base=base))
    assert [one.base.path for one in recipe.teachers] == ["there"]
    assert str(tmp_path) not in dump_recipe(recipe)


def test_a_folder_beside_the_recipe_is_not_filled_up_from_the_repository(own: Path) -> None:
    recipe = load_recipe(
        change(own, data__sources__0__path=".", data__sources__0__files={"train": ["*.txt"]})
    )
    assert (tiny.ROOT / "requirements.txt").is_file()
    with pytest.raises(DataError, match=rf"^rows: {own.parent}/\*.txt does not exist$"):
        count_rows(recipe)


def test_an_encoder_lies_beside_the_recipe_wherever_it_is_started(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_base, tmp_path / "encoder")
    recipe = load_recipe(change(write_recipe(tmp_path), base__path="encoder"))
    monkeypatch.chdir(tmp_path.parent)
    assert find_base(recipe, None) == tmp_path / "encoder"


def test_suites_lie_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "functions.csv").write_text("function,text,label\nthanks,good,positive\n")
    recipe = load_recipe(change(write_recipe(tmp_path), evaluation__suites=["own"]))
    assert [one.name for one in read_suites(recipe, [])] == ["function/thanks"]


def test_a_copy_may_go_where_no_folder_is_common(own: Path) -> None:
    tree = {"data": {"sources": [{"name": "rows", "path": "rows"}]}}
    moved = with_places_from(tree, own.parent, Path("/nowhere"))["data"]["sources"][0]["path"]
    assert moved == f"..{own.parent.resolve()}/rows"


def test_an_absolute_path_in_a_release_of_before_is_still_read(own: Path) -> None:
    assert path_of(read_released_recipe(place(own, "/nowhere/rows"))) == "/nowhere/rows"


def test_a_copy_elsewhere_may_be_dumped_so_that_it_finds_the_rows(tmp_path: Path) -> None:
    recipe = load_recipe(write_taught(tmp_path))
    copy = tmp_path / "runs" / "folds" / "copy.yaml"
    copy.parent.mkdir(parents=True)
    copy.write_text(dump_recipe(recipe, copy.parent), encoding="utf-8")
    again = load_recipe(copy)
    assert [count_rows(one) for one in (again, *again.teachers)] == [90, 90]
    assert path_of(again) == "../.." and path_of(recipe) == "."


def test_a_path_in_the_repository_stays_as_it_is(tmp_path: Path) -> None:
    recipe = load_recipe(tiny.ROOT / "recipes" / "quickstart.yaml")
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_recipe(recipe, tmp_path), encoding="utf-8")
    assert path_of(load_recipe(copy)) == path_of(recipe) == "data/headlines"
    assert load_recipe(copy) == recipe
