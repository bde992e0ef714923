"""One training of a search: a recipe on the rows that all share, watched so that it can be stopped early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.preparation import prepare_transfer
from finsent.recipe.recipe import Recipe
from finsent.training.fit import fit
from finsent.training.report import TrainingReport
from tuning.setup import Setup

Judge = Callable[[int, float], bool]  # of percent of the steps, and macro F1: whether to stop here


class StoppedEarly(Exception):
    """A training that its judge stopped."""


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
    """Asks a judge at every validation but the last, after which there is nothing to save."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: object,
    ) -> None:
        """Raise StoppedEarly if the judge says so."""
        percent = round(100 * state.global_step / state.max_steps)
        if self._judge(percent, metrics["eval_macro_f1"]) and state.global_step < state.max_steps:
            raise StoppedEarly


def fit_recipe(
    setup: Setup, recipe: Recipe, folder: Path, judge: Judge | None = None
) -> tuple[BaseModel, TrainingReport]:
    """Train a recipe on the setup's rows; StoppedEarly if the judge stops it. Test rows are not looked at."""
    plan, splits = recipe.distillation, setup.splits
    start = setup.teachers[0] if plan and plan.initialize_from == "teacher" else None
    base = load_base(recipe, [row.text for row in splits.train], setup.mirror, start)
    transfer = prepare_transfer(recipe, splits, setup.mirror)
    progress = Watch(judge) if judge else None
    report = fit(recipe, splits, base, folder, teachers=setup.teachers, transfer=transfer, progress=progress)
    return base, report
