"""What is known of a search: search.json in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finsent.errors import FinsentError
from finsent.recipe.search import Range
from finsent.scoring import Interval

MEASURE = "macro F1 on the validation rows"


class Figures(BaseModel):
    """A part of the report; nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Trial(Figures):
    """One trial. `evaluations` are macro F1 on the validation rows by percent of its steps.

    `score` is the best of these, also of a trial that was stopped early; 0 where the recipe or its encoder
    refused the settings, for the `reason` given.
    """

    number: int
    state: Literal["done", "stopped early", "refused"]
    settings: dict[str, Any]
    score: float
    evaluations: dict[int, float]
    seconds: float
    reason: str = ""


class Contender(Figures):
    """The recipe as it is (`trial` is None) or a finalist, with a score on the validation rows a seed."""

    trial: int | None
    settings: dict[str, Any]
    scores: list[float]

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(self.scores) / len(self.scores)


class Unseen(Figures):
    """The best beside the recipe as it is, on test rows that no choice was made by; means over the seeds.

    `better` and `worse` are the rows that the best has right with more, or fewer, of the seeds; `p` is that
    of McNemar's exact test on them. The interval is that of the gain in accuracy: paired bootstrap over rows.
    """

    rows: int
    accuracy: float
    start_accuracy: float
    gain: float
    gain_interval: Interval
    macro_f1: float
    start_macro_f1: float
    better: int
    worse: int
    p: float


class Report(Figures):
    """All of it. `cut_off` trials did not count and were repeated; `importances` add up to 1.

    `unseen` is None where nothing was better than the recipe as it is.
    """

    name: str
    recipe: str
    fingerprint: str
    measure: str = MEASURE
    space: dict[str, Range]
    startup: int
    seed: int
    seeds: list[int]
    validation_rows: int
    trials: list[Trial]
    cut_off: int
    importances: dict[str, float]
    start: Contender
    finalists: list[Contender]
    best: Contender
    unseen: Unseen | None
    versions: dict[str, str]
    created: str

    @property
    def stopped(self) -> int:
        """How many trials were stopped early."""
        return sum(trial.state == "stopped early" for trial in self.trials)

    @property
    def tried(self) -> list[Trial]:
        """The trials whose settings were not refused."""
        return [trial for trial in self.trials if trial.state != "refused"]

    @property
    def seconds(self) -> float:
        """What the trials took, the finalists apart."""
        return sum(trial.seconds for trial in self.trials)


def write_report(report: Report, path: Path) -> None:
    """Write search.json."""
    path.write_text(report.model_dump_json(indent=1, by_alias=True, exclude_defaults=False) + "\n", "utf-8")


def read_report(path: Path) -> Report:
    """Return the report of a search; FinsentError where there is none, or another version's."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise FinsentError(f"{path}: is not a report of a search ({error}); run tune.py again") from None
