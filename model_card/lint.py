"""The linter of model cards: knows offline what the Hub rejects or misreads, and what a reader must not find.

`python -m model_card.lint FILE` prints `README.md:12: rule: message` a problem. Exit 0: clean, 1: problems,
2: wrong usage. metrics.json and recipe.yaml beside the file are used when they are there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from finsent.errors import FinsentError
from finsent.recipe import Recipe
from finsent.recipe_file import load_recipe
from finsent.release import METRICS, RECIPE
from model_card.document import split_card
from model_card.lint_body import lint_body
from model_card.lint_figures import lint_figures
from model_card.lint_files import lint_files
from model_card.lint_metadata import lint_metadata
from model_card.metrics import Metrics, read_metrics
from model_card.problem import Problem

__all__ = ["Problem", "lint_card"]


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
    ]
    try:
        if recipe is None and release is not None and (release / RECIPE).is_file():
            recipe = load_recipe(release / RECIPE)
        if metrics is not None and recipe is not None:
            problems += lint_figures(document, metrics, recipe)
    except FinsentError as error:
        problems.append(Problem(1, "figure", f"cannot be compared: {error}"))
    return sorted(set(problems))


def main(
    file: Annotated[Path, typer.Argument(help="README.md of a release", exists=True, dir_okay=False)],
) -> None:
    """Check a model card; exit 1 when something is wrong with it."""
    try:
        text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
        beside = file.parent / METRICS
        metrics = read_metrics(beside) if beside.is_file() else None
        problems = lint_card(text, metrics, file.parent if metrics else None)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems = [Problem(line, "encoding", f"byte {error.start} is not UTF-8; save the file as UTF-8")]
    except FinsentError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    for problem in problems:
        print(problem)
    if problems:
        print(f"{file}: {len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{file}: clean", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
