"""What a cross-validation found, as counts: enough for every figure of it, and no row of a source.

So folds that were run on different days, or machines, add up: `benchmarks/folds/<recipe>.json` is kept, and
the runs themselves need not be. Counts of another recipe, other rows or other folds are not added to.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas
from pydantic import BaseModel, ConfigDict, ValidationError

from finsent.errors import FinsentError
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats, Interval, bootstrap, score

SEED = 0  # of the intervals


class SourceCounts(BaseModel):
    """One run's test rows of one source: confusion `[class][predicted]`, and bins of confidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    confusion: list[list[int]]
    bin_rows: list[int]
    bin_right: list[int]
    bin_confidence: list[float]  # summed


class Folds(BaseModel):
    """The runs that are done, by name such as `0` or `0-seed-2`, and their counts by source.

    `made_from` is the recipe's making fingerprint, `rows` that of all rows. `chosen_on` is the fold by whose
    scores the recipe's shape was chosen, which would flatter it; empty if there is none.
    """

    model_config = ConfigDict(extra="forbid")
    recipe: str
    made_from: str
    rows: str
    folds: int
    chosen_on: str = ""
    runs: dict[str, dict[str, SourceCounts]] = {}


class Pooled(BaseModel):
    """Figures of one source over all runs; rows that several seeds were tested on count once."""

    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    ece: float


def read_folds(path: Path) -> Folds:
    """Read counts; FinsentError if the file does not hold them."""
    try:
        return Folds.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise FinsentError(f"{path}: holds no counts of folds ({error.error_count()} faults)") from None


def write_folds(folds: Folds, path: Path) -> None:
    """Write counts in one go, so that an interruption leaves what was there."""
    partial = path.with_suffix(".partial")
    partial.write_text(folds.model_dump_json(indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def count(found: pandas.DataFrame, recipe: Recipe) -> dict[str, SourceCounts]:
    """Return the counts by source of one run's predictions."""
    columns = [f"p{index}" for index in range(len(recipe.labels))]
    counts = {}
    for name, rows in found.groupby("source"):
        scores = score(rows[columns].to_numpy(), rows["label"].to_numpy(), recipe.labels, 100, recipe.seed)
        bins = scores.reliability
        inside = np.array(bins.count)
        counts[str(name)] = SourceCounts(
            confusion=scores.confusion,
            bin_rows=bins.count,
            bin_right=[round(value) for value in inside * bins.accuracy],
            bin_confidence=[round(float(value), 4) for value in inside * bins.confidence],
        )
    return counts


def pool(folds: Folds, resamples: int) -> dict[str, Pooled]:
    """Return the figures of every source over all runs.

    Where a fold was run with several seeds, the mean of its counts stands for it: each row counts once.
    """
    by_fold: dict[str, list[dict[str, SourceCounts]]] = defaultdict(list)
    for name, run in folds.runs.items():
        by_fold[name.partition("-")[0]].append(run)
    found = {}
    for source in sorted({source for run in folds.runs.values() for source in run}):
        parts = [[run[source] for run in runs if source in run] for runs in by_fold.values()]
        found[source] = _pool([part for part in parts if part], resamples)
    return found


def tell_sources(folds: Folds, resamples: int) -> list[str]:
    """Return `| source | rows | accuracy | macro F1 | ECE |` for every source, with 95 % intervals."""
    lines = []
    for name, one in pool(folds, resamples).items():
        accuracy, f1 = one.accuracy_interval, one.macro_f1_interval
        lines.append(
            f"| {name} | {one.rows:,} | {one.accuracy:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f}) "
            f"| {one.macro_f1:.3f} ({f1.low:.3f} to {f1.high:.3f}) | {one.ece:.3f} |"
        )
    return lines


def _pool(parts: list[list[SourceCounts]], resamples: int) -> Pooled:
    def total(key: str) -> Floats:
        means = [np.mean([getattr(run, key) for run in part], axis=0) for part in parts]
        summed: Floats = np.array(means).sum(axis=0)
        return summed

    confusion = total("confusion")
    right, both = np.diagonal(confusion), confusion.sum(axis=0) + confusion.sum(axis=1)
    rows = round(confusion.sum())
    accuracy, macro_f1 = bootstrap(confusion, rows, resamples, SEED)
    return Pooled(
        rows=rows,
        accuracy=float(right.sum() / rows),
        accuracy_interval=accuracy,
        macro_f1=float((2 * right / np.maximum(both, 1)).mean()),
        macro_f1_interval=macro_f1,
        ece=float(np.abs(total("bin_right") - total("bin_confidence")).sum() / rows),
    )
