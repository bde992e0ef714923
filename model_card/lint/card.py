"""The linter of model cards: knows offline what the Hub rejects or misreads, and what a reader must not find.

metrics.json and recipe.yaml beside the card are used when they are there.
"""

from __future__ import annotations

from pathlib import Path

from finsent.errors import FinsentError
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import RECIPE
from model_card.card.document import split_card
from model_card.lint.body import lint_body
from model_card.lint.files import lint_files
from model_card.lint.metadata import lint_metadata
from model_card.lint.numbers import lint_figures
from model_card.lint.problem import Problem
from model_card.lint.runtimes import lint_runtimes
from model_card.measure.metrics_file import Metrics


def lint_card(
    text: str, metrics: Metrics | None, release: Path | None, recipe: Recipe | None = None
) -> list[Problem]:
    """Return what is wrong with a card, by line.

    Without metrics, figures and licence are not compared; without a release folder, files and links are not
    looked up. The recipe is read from the release when it is not given; figures need one of the two.
    """
    document = split_card(text)
    problems = [
        *lint_metadata(document, metrics),
        *lint_body(document),
        *lint_files(document, metrics, release),
        *lint_runtimes(document, metrics),
    ]
    try:
        if recipe is None and release is not None and (release / RECIPE).is_file():
            recipe = read_released_recipe(release / RECIPE)
        if metrics is not None and recipe is not None:
            problems += lint_figures(document, metrics, recipe)
    except FinsentError as error:
        problems.append(Problem(1, "figure", f"cannot be compared: {error}"))
    return sorted(set(problems))
