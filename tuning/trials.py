"""Running the trials of a search until exactly as many have been looked at as it asks for."""

from __future__ import annotations

import gc
from pathlib import Path

from finsent.errors import FinsentError, first_line
from tuning.fitting import StoppedEarly, fit_recipe
from tuning.progress import TrialTable, tell_settings
from tuning.report import Trial
from tuning.setup import Setup
from tuning.study import Study

MOST_REFUSED = 3  # of the first trials, all of them


def run_trials(setup: Setup, study: Study, checkpoints: Path) -> list[Trial]:
    """Run what is missing and return all trials; those beyond what is asked for now are left in the study."""
    asked_for = setup.search.trials
    cut_off = study.drop_cut_off()
    with TrialTable(setup.search, study.trials(), cut_off) as table:
        while len(trials := study.trials()) < asked_for:
            run_trial(setup, study, checkpoints, table)
            table.finish(study.trials()[len(trials)])
    return trials[:asked_for]


def run_trial(setup: Setup, study: Study, checkpoints: Path, table: TrialTable) -> None:
    """Run one trial from its beginning; settings that do not go together are noted as refused.

    FinsentError if those of all the first trials were refused: then the search cannot be meant.
    """
    setup.check_unchanged()
    asked = study.ask()
    table.begin(asked.number, asked.settings)

    def judge(percent: int, score: float) -> bool:
        table.note(percent, score)
        return study.judge(asked, percent, score)

    try:
        _, report = fit_recipe(setup, setup.recipe_with(asked.settings), checkpoints, judge)
    except StoppedEarly:
        study.stop(asked)
    except FinsentError as error:
        study.refuse(asked, first_line(error))
        if asked.number >= MOST_REFUSED and all(trial.state == "refused" for trial in study.trials()):
            raise FinsentError(
                f"trial {asked.number} ({tell_settings(asked.settings)}): {error}; all trials were refused, "
                "so take such values out of the space, and give the search another name"
            ) from error
    else:
        study.finish(asked, report.validation_macro_f1)
    finally:
        gc.collect()  # a Trainer refers to itself, and its model would stay until a collection by chance
