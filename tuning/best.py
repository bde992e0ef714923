"""The best settings as a recipe: a file that extends the recipe that the search started from."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from finsent.recipe.file import load_recipe
from finsent.recipe.places import with_places_from
from finsent.recipe.recipe import Recipe
from finsent.yaml_dialects import dump_yaml
from tuning.report import Report
from tuning.setup import Setup, tuned_name
from tuning.space import nest


def write_best(setup: Setup, report: Report, path: Path) -> Recipe:
    """Write the recipe and return it as it is read back."""
    start = os.path.relpath(setup.search.recipe_file.resolve(), path.parent.resolve())
    tree = {
        "extends": PurePath(start).as_posix(),
        "name": tuned_name(setup.recipe),
        **with_places_from(nest(report.best.settings), setup.search.recipe_file.parent, path.parent),
    }
    path.write_text(f"# {_tell_origin(report)}\n{dump_yaml(tree)}", encoding="utf-8")
    return load_recipe(path, setup.recipe.runs)


def _tell_origin(report: Report) -> str:
    if report.best.trial is None:
        return f"Written by tune.py: none of {len(report.trials)} trials was better, so nothing is changed."
    return (
        f"Written by tune.py: trial {report.best.trial} of {len(report.trials)}; search.json has all of them."
    )
