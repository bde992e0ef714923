"""Check the rows of a recipe before training: splits, lengths, duplicates, conflicting labels.

\b
python -m finsent.data.check recipes/mine.yaml
python -m finsent.data.check recipes/mine.yaml --json > rows.json
python -m finsent.data.check recipes/mine.yaml --no-estimate    do not time training steps

The output is a set of tables on a terminal and lines elsewhere. Exit 1 if these rows cannot be used for
training.
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from finsent.cli import print_anywhere, quiet_libraries, reporting_errors, stage, tell_seconds
from finsent.data.inspection import Inspection
from finsent.data.splits import Splits
from finsent.data.telling import print_tables, tell
from finsent.data.unlabelled import load_unlabelled, report_texts
from finsent.mirror import mirror_from_environment
from finsent.optional_packages import check_packages
from finsent.preparation import inspect_rows, prepare_splits
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe

if TYPE_CHECKING:
    from finsent.training.estimate import Estimate

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def tell_estimate(found: Estimate, recipe: Recipe) -> str:
    """Return an estimate in a line that says what it rests on."""
    count = len(recipe.built_teachers)
    teachers = f"; its {count} teachers are not included" if count else ""
    return (
        f"training: about {tell_seconds(found.seconds)} at most ({found.steps:,} steps of "
        f"{found.seconds_a_step:.2f} s, measured here on {found.measured_steps} steps with {found.threads} "
        f"threads), at least {found.peak_memory_bytes / 1e9:.1f} GB of memory; export and measuring take "
        f"more{teachers}"
    )


def show(found: Inspection, estimate: Estimate | None, recipe: Recipe, as_json: bool) -> None:
    """Print what was found on stdout: JSON, tables on a terminal, else lines."""
    if as_json:
        told = asdict(found) | {"training": asdict(estimate) if estimate else None}
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    if sys.stdout.isatty():
        print_tables(found, Console(highlight=False))
    else:
        print("\n".join(tell(found)))
    if estimate:
        print(tell_estimate(estimate, recipe))


def _measure_training(recipe: Recipe, splits: Splits, mirror: Path | None) -> Estimate:
    from finsent.training.estimate import estimate_training  # brings torch, which looking at rows needs not

    stage("timing a few training steps (--no-estimate skips this)")
    return estimate_training(recipe, splits, mirror)


@app.command(help=__doc__)
def main(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="the recipe with the rows to check")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    estimate: Annotated[bool, typer.Option(help="time a few training steps")] = True,
) -> None:
    """Look at rows; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("nothing was changed"):
        recipe, mirror = load_recipe(recipe_file), mirror_from_environment()
        if estimate:
            check_packages(recipe)
        stage(f"data: {', '.join(source.name for source in recipe.data.sources)}")
        splits = prepare_splits(recipe, mirror)
        texts = {name: report_texts(one) for name, one in load_unlabelled(recipe, mirror)}
        found = replace(inspect_rows(recipe, splits, mirror), unlabelled=texts)
        show(found, _measure_training(recipe, splits, mirror) if estimate else None, recipe, as_json)


if __name__ == "__main__":
    print_anywhere()
    app()
