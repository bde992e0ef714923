"""What came out of a search, brought together."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from tuning.finals import Finals
from tuning.report import Report, Trial, Unseen
from tuning.setup import Setup
from tuning.study import Study

LIBRARIES = ("optuna", "torch", "transformers")


def make_report(
    setup: Setup, study: Study, trials: list[Trial], finals: Finals, unseen: Unseen | None
) -> Report:
    """Return the report of a search that is done."""
    search, (start, *finalists) = setup.search, finals.contenders
    return Report(
        name=search.name,
        recipe=setup.recipe.name,
        fingerprint=setup.recipe.fingerprint(),
        space=search.space,
        startup=search.startup,
        seed=search.seed,
        seeds=setup.seeds,
        validation_rows=len(setup.splits.validation),
        trials=trials,
        cut_off=study.cut_off,
        importances=study.importances(len(trials)),
        start=start,
        finalists=finalists,
        best=finals.contenders[finals.winner],
        unseen=unseen,
        versions={name: version(name) for name in LIBRARIES},
        created=f"{datetime.now(UTC):%Y-%m-%d}",
    )
