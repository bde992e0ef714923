from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import pytest

import train
from finsent.errors import RecipeError
from finsent.recipe.adapter import Adapter
from finsent.recipe.recipe import Distillation, Recipe
from finsent.release import Run


@pytest.fixture(autouse=True)
def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("peft", "bitsandbytes"):
        monkeypatch.setitem(sys.modules, name, None)  # as if they were not there, also where they are


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("lora", "kind lora, which needs peft; pip install -r requirements-methods.txt"),
        ("ia3", "kind ia3, which needs peft; pip install -r requirements-methods.txt"),
        ("qlora", "kind qlora, which needs peft and bitsandbytes; pip install -r requirements-qlora.txt"),
    ],
)
def test_a_missing_package_is_told_before_rows_are_read(
    kind: Literal["lora", "qlora", "ia3"], message: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = tiny_recipe.model_copy(update={"adapter": Adapter(kind=kind)})
    (tmp_path / "rows.csv").unlink()
    with pytest.raises(RecipeError, match=f"adapter: tiny has one of {message}"):
        train.train(recipe, Run(tmp_path / "run"))


def test_what_a_teacher_needs_is_told_too(tiny_recipe: Recipe, tmp_path: Path) -> None:
    teacher = tiny_recipe.model_copy(update={"name": "big", "adapter": Adapter(kind="lora")})
    student = tiny_recipe.model_copy(update={"distillation": Distillation(teachers=[teacher])})
    with pytest.raises(RecipeError, match="adapter: big has one of kind lora"):
        train.train(student, Run(tmp_path / "run"))
