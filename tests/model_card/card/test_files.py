from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finsent.errors import ReleaseError
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import ABSTAIN_BELOW, CARD, CONFIG, METRICS, RECIPE
from model_card.card import files
from model_card.card.files import write_card
from model_card.measure.metrics_file import read_metrics
from tests import tiny


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    """Weights and files that load, of which nothing is told yet."""
    folder = Path(shutil.copytree(run / "release", tmp_path / "release"))
    for name in (CARD, METRICS, RECIPE):
        (folder / name).unlink()
    shutil.rmtree(folder / "figures")
    return folder


def test_all_that_tells_of_a_release_is_written(folder: Path, run: Path, recipe: Recipe) -> None:
    metrics = read_metrics(run / "release" / METRICS)
    write_card(recipe, metrics, folder)
    assert (folder / CARD).read_bytes() == (run / "release" / CARD).read_bytes()
    assert read_metrics(folder / METRICS) == metrics
    assert read_released_recipe(folder / RECIPE) == recipe
    assert metrics.abstention is not None
    assert tiny.read_json(folder / CONFIG)[ABSTAIN_BELOW] == metrics.abstention.threshold
    drawn = {path.name for path in (folder / "figures").iterdir()}
    explained = {"explained_examples.png", "explained_mistakes.png", "attention.png"}
    assert drawn == {"confusion.png", "reliability.png", "coverage.png", "learning.png", *explained}


def test_a_card_that_breaks_a_rule_ends_the_run_with_its_line(
    folder: Path, run: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "draw_figures", lambda metrics, folder: None)
    with pytest.raises(ReleaseError, match=r"the card fails its linter:\nREADME\.md:\d+: file: "):
        write_card(recipe, read_metrics(run / "release" / METRICS), folder)
