"""The trials of a search, kept by optuna (https://doi.org/10.1145/3292500.3330701) in an SQLite file.

A trial that was cut off is found running when the search goes on, as one process alone holds its folder. It
does not count. The sampler's state is not in the file, so it is made anew for each trial, with a seed by the
trial's number: the settings that were cut off are proposed again, and the search ends in the same trials.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finsent.errors import FinsentError, first_line
from finsent.recipe.search import Range, Search
from tuning.report import Trial
from tuning.setup import Setup
from tuning.space import Settings, settle

if TYPE_CHECKING:
    import optuna

OWNER = "owner"  # what the trials were made by: Setup.owner
REASON = "reason"  # why the settings of a trial were refused
WARM_UP = 25  # percent of the steps that every trial may take
TELLING = 4  # finished trials from which it may be told which keys mattered


@dataclass(frozen=True)
class Asked:
    """A trial that has begun; `number` counts from 1, without trials that were cut off."""

    number: int
    settings: Settings
    trial: optuna.trial.Trial


class Study:
    """optuna's study of one search."""

    def __init__(self, study: optuna.Study, search: Search) -> None:
        self._study, self._search = study, search

    def ask(self) -> Asked:
        """Begin a trial with what the sampler proposes: the same again, if that was cut off."""
        import optuna

        number = len(self._kept()) + 1
        seed = np.random.SeedSequence([self._search.seed, number]).generate_state(1)[0]
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=self._search.startup, seed=int(seed)
        )
        trial = self._study.ask(
            {key: make_distribution(values) for key, values in self._search.space.items()}
        )
        return Asked(number, settle(trial.params, self._search.space), trial)

    def judge(self, asked: Asked, percent: int, score: float) -> bool:
        """Note a validation of a trial and return whether to stop it."""
        asked.trial.report(score, percent)
        return bool(asked.trial.should_prune())

    def finish(self, asked: Asked, score: float) -> None:
        """Note the score of a trial that came to its end."""
        self._study.tell(asked.trial, score)

    def stop(self, asked: Asked) -> None:
        """Note that a trial was stopped early."""
        import optuna

        self._study.tell(asked.trial, state=optuna.trial.TrialState.PRUNED)

    def refuse(self, asked: Asked, reason: str) -> None:
        """Note that the settings of a trial do not go together; to the sampler it is worse than any other."""
        asked.trial.set_user_attr(REASON, reason)
        self.stop(asked)

    def drop_cut_off(self) -> int:
        """Let trials that were cut off count no more, and return how many they were."""
        import optuna

        running = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        for one in running:
            self._study.tell(one.number, state=optuna.trial.TrialState.FAIL)
        return len(running)

    @property
    def cut_off(self) -> int:
        """How many trials were ever cut off."""
        import optuna

        return len(self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.FAIL,)))

    def trials(self) -> list[Trial]:
        """Return the trials that count, in their order."""
        return [self._read(number, one) for number, one in enumerate(self._kept(), 1)]

    def importances(self, count: int) -> dict[str, float]:
        """Return what share of the differences between the first `count` trials a key decides, by PED-ANOVA.

        Empty where that cannot be told. https://arxiv.org/abs/2304.10255
        """
        import optuna

        done = [trial for trial in self.trials()[:count] if trial.state == "done"]
        if len(done) < TELLING or len({trial.score for trial in done}) == 1:
            return {}
        first = optuna.create_study(direction="maximize")
        first.add_trials(self._kept()[:count])
        return {key: float(share) for key, share in optuna.importance.get_param_importances(first).items()}

    def _kept(self) -> list[optuna.trial.FrozenTrial]:
        import optuna

        states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        return list(self._study.get_trials(deepcopy=False, states=states))

    def _read(self, number: int, one: optuna.trial.FrozenTrial) -> Trial:
        import optuna

        done, reason = one.state == optuna.trial.TrialState.COMPLETE, one.user_attrs.get(REASON, "")
        return Trial(
            number=number,
            state="done" if done else "refused" if reason else "stopped early",
            settings=settle(one.params, self._search.space),
            score=one.value if done else max(one.intermediate_values.values(), default=0.0),
            evaluations=dict(one.intermediate_values),
            seconds=one.duration.total_seconds(),
            reason=reason,
        )


def open_study(setup: Setup, place: Path) -> Study:
    """Open the study of a search, or begin it; FinsentError if the file is another search's, or none."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search, owner = setup.search, setup.owner()
    with _reading(place):
        study = optuna.create_study(
            storage=f"sqlite:///{place.absolute()}",
            study_name=search.name,
            direction="maximize",
            pruner=_make_pruner(search),
            load_if_exists=True,
        )
        found = study.user_attrs.get(OWNER)
    if found not in (None, owner):
        raise FinsentError(
            f"{place}: its {len(study.trials)} trials were made with another recipe, other rows or another "
            "search (only trials, finalists and seeds may change); move the folder away, or give the search "
            "another name"
        )
    study.set_user_attr(OWNER, owner)
    return Study(study, search)


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (optuna.exceptions.OptunaError, SQLAlchemyError, RuntimeError) as error:
        raise FinsentError(
            f"{place}: cannot be read as optuna's trials ({first_line(error)[:200]}); move it away to begin "
            "anew"
        ) from error


def _make_pruner(search: Search) -> optuna.pruners.BasePruner:
    import optuna

    if search.pruner == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=search.startup, n_warmup_steps=WARM_UP)


def make_distribution(values: Range) -> optuna.distributions.BaseDistribution:
    """Return optuna's word for the values of a key; choices of any type are told apart by their JSON."""
    import optuna

    if values.kind == "choice":
        return optuna.distributions.CategoricalDistribution([json.dumps(one) for one in values.values])
    low, high = values.values
    if values.kind == "int":
        return optuna.distributions.IntDistribution(low, high, step=values.step)
    return optuna.distributions.FloatDistribution(low, high, log=values.kind == "log")
