"""The answers in data/answers hold for the recipes that name them, as these stand today."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finsent import REPOSITORY
from finsent.data.splits import load_splits
from finsent.recipe.file import load_recipe
from finsent.training.answers import find_answers, read_answers
from finsent.training.targets import asked_texts

RECIPES = [
    path
    for path in sorted((REPOSITORY / "recipes").glob("*.yaml"))
    if "  answers: data/" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_text_that_a_recipe_asks_has_a_finite_answer(path: Path) -> None:
    recipe = load_recipe(path)
    splits = load_splits(recipe)
    texts = [row.text for part in (splits.train, splits.validation, splits.test) for row in part]
    texts += asked_texts(recipe, splits.train)
    for teacher in recipe.teachers:
        table = find_answers(recipe, teacher, splits)
        answers = read_answers(table, texts)
        assert np.isfinite(answers).all()
        lines = table.read_text(encoding="utf-8").splitlines()
        assert len(lines) == 1 + len(set(texts)) and lines[1:] == sorted(lines[1:])


def test_a_recipe_names_answers() -> None:
    assert [path.stem for path in RECIPES] == ["quickstart"]
