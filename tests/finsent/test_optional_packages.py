from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

import train
import tune
from finsent.errors import FinsentError
from finsent.optional_packages import require_packages
from finsent.recipe.adapter import Adapter
from finsent.recipe.recipe import Distillation, Recipe
from finsent.release import Run
from tests import tiny
from tests.tuning import samples

LORA: dict[str, Any] = {"adapter": {"kind": "lora"}}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("peft", "bitsandbytes"):
        monkeypatch.setitem(sys.modules, name, None)  # as if they were not there, also where they are


def test_missing_packages_are_told_in_one_line_with_the_command_that_installs_them() -> None:
    require_packages("this test", "numpy")
    with pytest.raises(FinsentError) as told:
        require_packages("this test", "no_such_thing", "numpy", "nor_this")
    assert str(told.value) == (
        "this test needs no_such_thing and nor_this; install with: pip install -r requirements-methods.txt"
    )


@pytest.mark.parametrize(
    ("kind", "packages", "file"),
    [
        ("lora", "peft", "requirements-methods.txt"),
        ("ia3", "peft", "requirements-methods.txt"),
        ("qlora", "peft and bitsandbytes", "requirements-qlora.txt"),
    ],
)
def test_what_an_adapter_lacks_is_told_before_rows_are_read(
    kind: Literal["lora", "qlora", "ia3"], packages: str, file: str,
    without: None, tiny_recipe: Recipe, tmp_path: Path,
) -> None:  # fmt: skip
    recipe = tiny_recipe.model_copy(update={"adapter": Adapter(kind=kind)})
    (tmp_path / "rows.csv").unlink()
    told = f"adapter: tiny has one of kind {kind}, which needs {packages}; "
    with pytest.raises(FinsentError, match=f"^{re.escape(told)}install with: pip install -r {file}$"):
        train.train(recipe, Run(tmp_path / "run"))


def test_what_a_teacher_lacks_is_told_too(without: None, tiny_recipe: Recipe, tmp_path: Path) -> None:
    teacher = tiny_recipe.model_copy(update={"name": "big", "adapter": Adapter(kind="lora")})
    student = tiny_recipe.model_copy(update={"distillation": Distillation(teachers=[teacher])})
    (tmp_path / "rows.csv").unlink()
    with pytest.raises(FinsentError, match="adapter: big has one of kind lora"):
        train.train(student, Run(tmp_path / "run"))


@pytest.mark.parametrize(
    ("recipe", "space", "kind"),
    [
        (LORA, {"training.epochs": {"int": [1, 2]}}, "lora"),
        ({}, {"adapter.kind": {"choice": ["ia3", "qlora"]}}, "ia3"),
    ],
)
def test_a_search_tells_it_before_rows_are_read(
    recipe: dict[str, Any], space: dict[str, Any], kind: str,
    without: None, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(tune, "require_packages", lambda *_: None)  # optuna may be missing here, too
    search = samples.write_search(tmp_path, tiny_base, space=space)
    tiny.write_recipe(tmp_path, tiny_base, **recipe)
    (tmp_path / "rows.csv").unlink()
    done = CliRunner().invoke(tune.app, [str(search), "--runs", str(tmp_path / "runs")])
    told = (done.stderr + capfd.readouterr().err).splitlines()
    assert done.exit_code == 1 and f"adapter: tiny has one of kind {kind}, which needs peft" in told[-1]
