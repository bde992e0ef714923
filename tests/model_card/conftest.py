"""The sample, made once: drawing its bootstrap intervals is what takes time."""

from __future__ import annotations

from pathlib import Path

import pytest

from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.measure.metrics_file import Metrics
from tests.model_card.samples import make_metrics, make_recipe
from tests.model_card.tiny_release import make_release


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    return make_metrics()


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return make_recipe()


@pytest.fixture(scope="session")
def card(recipe: Recipe, metrics: Metrics) -> str:
    return build_card(recipe, metrics)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a real release; treat it as read-only."""
    folder = tmp_path_factory.mktemp("runs") / "sample"
    make_release(folder)
    return folder
