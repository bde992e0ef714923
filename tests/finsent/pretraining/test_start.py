"""What train.py does for a recipe with `base.recipe`; the process that it starts is run in this one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import pretrain
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError, FinsentError, RecipeError
from finsent.licences import recipe_licence
from finsent.pretraining import start
from finsent.pretraining.protection import check_protected
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny
from tests.finsent.pretraining import samples


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were started; each is run by the story itself."""
    started: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        started.append(command)
        assert command[1] == "pretrain.py"
        return subprocess.CompletedProcess(command, CliRunner().invoke(pretrain.app, command[2:]).exit_code)

    monkeypatch.setattr(start.subprocess, "run", run)
    return started


def load(folder: Path, base: Path, **changes: Any) -> Recipe:
    data = samples.pretraining_tree(base)["data"] | {"protect": {"recipes": ["tiny.yaml"]}}
    samples.write_pretraining(folder, base, **({"data": data} | changes))
    recipe = tiny.write_recipe(folder, base, base={"recipe": "tiny-encoder.yaml"})
    return load_recipe(recipe, folder / "runs")


def test_an_encoder_is_made_once_and_read_by_the_recipe(
    tmp_path: Path, tiny_base: Path, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = load(tmp_path, tiny_base)
    with pytest.raises(
        BaseModelError, match=r"base.recipe: .* does not exist; pretrain.py and train.py make it"
    ):
        load_base(recipe, [])
    for _ in range(2):
        for encoder in recipe.encoders:
            start.ensure_encoder(encoder, recipe.runs, None)
    assert len(commands) == 1 and "--if-missing" in commands[0]
    splits = load_splits(recipe)
    check_protected(recipe, splits)
    base = load_base(recipe, [row.text for row in splits.train])
    assert base.model.config.num_labels == 3 and base.model.config._name_or_path == "tests/tiny-bert"
    other = load(tmp_path, tiny_base, seed=2)
    start.ensure_encoder(other.encoders[0], other.runs, None)
    samples.write_texts(tmp_path, count=100)
    start.ensure_encoder(other.encoders[0], other.runs, None)
    assert len(commands) == 3  # another recipe, and other texts
    (tmp_path / "news.txt").unlink()
    capsys.readouterr()
    start.ensure_encoder(other.encoders[0], other.runs, None)
    assert "caution: tiny-encoder is used as it is; whether its files have" in capsys.readouterr().err
    again = load(tmp_path, tiny_base, seed=3)
    (tmp_path / "news.txt").unlink()
    with pytest.raises(FinsentError, match=r"anew: python pretrain\.py .*tiny-encoder/recipe\.yaml"):
        start.ensure_encoder(again.encoders[0], again.runs, None)


def test_a_process_that_fails_is_told(tmp_path: Path, tiny_base: Path, commands: list[list[str]]) -> None:
    recipe = load(tmp_path, tiny_base, licence="apache-2.0")
    with pytest.raises(
        FinsentError, match=r"pretrain.py could not make tiny-encoder; its last line says why"
    ):
        start.ensure_encoder(recipe.encoders[0], recipe.runs, None)
    assert not (recipe.runs / "tiny-encoder" / "encoder").exists()


def test_an_encoder_may_not_claim_more_freedom_than_its_texts_give(tmp_path: Path, tiny_base: Path) -> None:
    recipe = load(tmp_path, tiny_base, licence="apache-2.0")
    with pytest.raises(RecipeError, match=r"'apache-2\.0', but a source demands 'cc-by-sa-4\.0'"):
        recipe_licence(recipe)
