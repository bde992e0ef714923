"""A search as it stands in a file, and what one might have found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from finsent.recipe.file import load_recipe, load_search
from finsent.recipe.recipe import Recipe
from finsent.recipe.search import Range, Search
from finsent.scoring import Interval
from tests import tiny
from tuning.report import Contender, Report, Trial, Unseen

RATE, ROWS = "training.learning_rate", "training.batch_size"
SHORT: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 0.005,
    "evaluations": 2,
    "bf16": "off",
}
SPACE: dict[str, Any] = {RATE: {"log": [1e-6, 5e-3]}, ROWS: {"choice": [4, 8]}}


def write_search(folder: Path, encoder: Path, training: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Write rows, a tiny recipe and a search beside it, and return the search's path."""
    tiny.write_recipe(folder, encoder, **({"training": training} if training else {}))
    tree = {"name": "tiny-search", "recipe": "tiny.yaml", "trials": 3, "space": SPACE} | changes
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


def read_search(
    folder: Path, encoder: Path, training: dict[str, Any] | None = None, **changes: Any
) -> tuple[Search, Recipe]:
    """Return a written search with the recipe that it starts from."""
    search = load_search(write_search(folder, encoder, training, **changes))
    return search, load_recipe(search.recipe_file)


def make_trial(number: int, score: float, rate: float = 1e-4, rows: int = 8, stopped: bool = False) -> Trial:
    """Return a trial that was stopped at half of its steps, or came to its end."""
    evaluations = {25: score / 2, 50: score} | ({} if stopped else {75: score, 100: score})
    return Trial(
        number=number,
        state="stopped early" if stopped else "done",
        settings={RATE: rate, ROWS: rows},
        score=score,
        evaluations=evaluations,
        seconds=60.0,
    )


def make_report(**changes: Any) -> Report:
    """Return what a search of five trials may have found."""
    trials = [
        make_trial(1, 0.61, 1e-6),
        make_trial(2, 0.70, 1e-4, 4),
        make_trial(3, 0.66, 1e-3),
        make_trial(4, 0.40, 5e-3, stopped=True),
        make_trial(5, 0.74, 3e-4, 4),
    ]
    best = Contender(trial=5, settings=trials[4].settings, scores=[0.72, 0.70])
    unseen = Unseen(
        rows=200, accuracy=0.72, start_accuracy=0.69, gain=0.03, gain_interval=Interval(-0.01, 0.07),
        macro_f1=0.71, start_macro_f1=0.68, better=20, worse=14, p=0.392,
    )  # fmt: skip
    report = Report(
        name="tiny-search", recipe="tiny", fingerprint="0" * 64,
        space={key: Range.model_validate(values) for key, values in SPACE.items()},
        startup=2, seed=0, seeds=[2, 3], validation_rows=100, trials=trials, cut_off=1,
        importances={RATE: 0.8, ROWS: 0.2},
        start=Contender(trial=None, settings={}, scores=[0.66, 0.68]),
        finalists=[best], best=best, unseen=unseen, versions={"optuna": "5.0.0"}, created="2026-11-27",
    )  # fmt: skip
    return report.model_copy(update=changes)
