"""What a person reads of a search that is done."""

from __future__ import annotations

from pathlib import Path

from finsent.cautions import percent
from finsent.cli import say, tell_seconds
from finsent.recipe.recipe import Recipe
from finsent.recipe.search import Range, Search
from tuning.progress import tell_count, tell_settings, tell_value
from tuning.report import Contender, Report, Unseen

CLEAR = 0.05  # p below which a gain is not put down to chance


def tell_space(search: Search, recipe: Recipe) -> None:
    """Say what may be tried, and where nothing can be stopped early."""
    for key, values in search.space.items():
        say(f"  {key}: {_tell_range(values)}")
    if search.pruner != "none" and recipe.training.evaluations == 1:
        say("  caution: training.evaluations is 1, so no trial can be stopped early")


def _tell_range(values: Range) -> str:
    told = [tell_value(one) for one in values.values]
    if values.kind == "choice":
        return f"one of {', '.join(told)}"
    drawn = {"log": "drawn by its logarithm", "linear": "drawn evenly", "int": "whole numbers"}[values.kind]
    return f"{told[0]} to {told[1]}, {drawn}{f', in steps of {values.step}' if values.step != 1 else ''}"


def summarize(report: Report, recipe: Path) -> str:
    """Return how many trials were looked at, what was found, and what it is worth on rows that were not."""
    return "\n".join([_tell_trials(report), *map(_indent, (*_tell_best(report), f"the recipe: {recipe}"))])


def _indent(line: str) -> str:
    return f"  {line}"


def _tell_trials(report: Report) -> str:
    looked_at = tell_count(len(report.trials), "trial")
    parts = [f"{report.name}: {looked_at} looked at in {tell_seconds(report.seconds)}"]
    if report.stopped:
        parts.append(f"{report.stopped} of them stopped early")
    if refused := len(report.trials) - len(report.tried):
        parts.append(f"{refused} refused")
    if report.cut_off:
        parts.append(f"{report.cut_off} cut off and repeated")
    return ", ".join(parts)


def _tell_best(report: Report) -> list[str]:
    best, seeds = report.best, tell_count(len(report.seeds), "other seed")
    finals = f"macro F1 on {report.validation_rows:,} validation rows, mean of {seeds}"
    if report.unseen is None:
        other = max((one.mean for one in report.finalists), default=None)
        told = "" if other is None else f", the best finalist {percent(other)}"
        return [f"no finalist is better than the recipe as it is: {finals} {percent(best.mean)}{told}"]
    return [
        f"best is trial {best.trial}: {tell_settings(best.settings)}",
        f"{finals} {percent(best.mean)}, the recipe as it is {percent(report.start.mean)}",
        _tell_luck(report, best),
        *_tell_unseen(report.unseen),
    ]


def _tell_luck(report: Report, best: Contender) -> str:
    score = next(trial.score for trial in report.trials if trial.number == best.trial)
    looked_at = tell_count(len(report.trials), "trial")
    told = f"the best of {looked_at} looks better there than it is"
    return f"it was chosen for {percent(score)} on these rows: {told}"


def _tell_unseen(unseen: Unseen) -> list[str]:
    low, high = (f"{100 * end:+.1f}" for end in (unseen.gain_interval.low, unseen.gain_interval.high))
    meaning = "" if unseen.p < CLEAR else "; that may be chance"
    return [
        f"on {unseen.rows:,} test rows that the search never saw: accuracy {percent(unseen.accuracy)}, the "
        f"recipe as it is {percent(unseen.start_accuracy)}",
        f"gain {100 * unseen.gain:+.1f} points (95 % interval {low} to {high}); {unseen.better} rows better, "
        f"{unseen.worse} worse, McNemar's p {unseen.p:.3f}{meaning}",
        f"macro F1 there {percent(unseen.macro_f1)}, the recipe as it is {percent(unseen.start_macro_f1)}",
    ]
