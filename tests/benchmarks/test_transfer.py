from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.transfer import find_unseen, render, score_unseen
from finsent.data.splits import load_splits
from finsent.recipe.file import dump_recipe, load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny

MORE = [
    f"Gamma signs {count} contracts for {name}" for count in range(2, 9) for name in ("ore", "oil", "rye")
]


def write(folder: Path, name: str, **changes: object) -> Recipe:
    path = folder / f"{name}.yaml"
    tree = {"extends": "tiny.yaml", "name": name} | changes
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_recipe(path)


@pytest.fixture
def folder(tmp_path: Path, tiny_base: Path) -> Path:
    tiny.write_recipe(tmp_path, tiny_base)
    labels = ["negative", "neutral", "positive"]
    rows = [{"text": text, "label": labels[number % 3]} for number, text in enumerate(MORE)]
    tiny.write_csv(tmp_path / "more.csv", rows)
    return tmp_path


def both(folder: Path, base: Path) -> dict[str, object]:
    """Return the keys of a recipe with a second source."""
    first = tiny.recipe_tree(folder, base)["data"]["sources"][0]
    kept = {key: first[key] for key in ("kind", "title", "licence", "path", "labels")}
    more = kept | {"name": "more", "files": {"train": ["more.csv"]}}
    return {"data": {"sources": [first, more]}}


def test_a_source_that_was_learnt_is_not_scored_and_another_one_whole(folder: Path, tiny_base: Path) -> None:
    others = write(folder, "others", **both(folder, tiny_base))
    found = find_unseen(load_recipe(folder / "tiny.yaml"), others, None)
    assert list(found) == ["more"] and sorted(row.text for row in found["more"]) == sorted(MORE)


def test_of_a_source_that_a_teacher_learnt_its_test_rows_are_scored(folder: Path, tiny_base: Path) -> None:
    others = write(folder, "others", **both(folder, tiny_base))
    student = write(folder, "student", distillation={"teachers": ["others.yaml"]})
    found = find_unseen(student, others, None)["more"]
    splits = load_splits(others)
    assert found and {row.text for row in found} == {row.text for row in splits.test if row.source == "more"}
    assert not {row.text for row in found} & {row.text for row in splits.train}


def test_a_row_that_one_of_two_teachers_learnt_is_not_scored(folder: Path, tiny_base: Path) -> None:
    first = write(folder, "first", **both(folder, tiny_base))
    tree = both(folder, tiny_base)
    tree["data"] |= {"test": 0.5}  # type: ignore[operator]
    second = write(folder, "second", **tree)
    student = write(folder, "student", distillation={"teachers": ["first.yaml", "second.yaml"]})
    alone, more = (
        {row.text for row in load_splits(one).test if row.source == "more"} for one in (first, second)
    )
    found = {row.text for row in find_unseen(student, first, None)["more"]}
    assert found == alone & more and len(found) < len(more)


def test_the_page_says_what_the_teacher_learnt(folder: Path, tiny_base: Path, teacher_release: Path) -> None:
    others = write(folder, "others", **both(folder, tiny_base))
    student = write(folder, "student", distillation={"teachers": ["others.yaml"]})
    found = score_unseen(teacher_release, others, None)
    alone = render(teacher_release, found)
    assert f"| more | {len(MORE)} | 0." in alone and "taught it" not in alone
    (teacher_release / "recipe.yaml").write_text(dump_recipe(student, folder), encoding="utf-8")
    page = render(teacher_release, found)
    assert "Of more, others learnt other rows, and taught the release or its teacher." in page
