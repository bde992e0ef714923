"""What a cross-validation found, as counts: enough for every figure of it, and no row of a source.

So folds that were run on different days, or machines, add up: `benchmarks/folds/<recipe>.json` is kept, and
the runs themselves need not be. Counts of another recipe, or of other folds, are not added to.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
from pydantic import BaseModel, ConfigDict

from finsent.recipe import Recipe
from finsent.scoring import Interval, bootstrap, score


class SourceCounts(BaseModel):
    """One run's test rows of one source: confusion `[class][predicted]`, and bins of confidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    confusion: list[list[int]]
    bin_rows: list[int]
    bin_right: list[int]
    bin_confidence: list[float]  # summed


class Folds(BaseModel):
    """The runs that are done, by name such as `0` or `0-seed-2`, and their counts by source."""

    model_config = ConfigDict(extra="forbid")
    recipe: str
    fingerprint: str
    folds: int
    runs: dict[str, dict[str, SourceCounts]] = {}


class Pooled(BaseModel):
    """Figures of one source over all runs; rows that several seeds were tested on count once."""

    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    ece: float


def read_folds(path: Path, recipe: Recipe, folds: int) -> Folds:
    """Return what is there already for this very recipe, or an empty one."""
    if path.is_file():
        found = Folds.model_validate_json(path.read_text(encoding="utf-8"))
        if (found.fingerprint, found.folds) == (recipe.fingerprint(), folds):
            return found
    return Folds(recipe=recipe.name, fingerprint=recipe.fingerprint(), folds=folds)


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


def pool(folds: Folds, resamples: int, seed: int) -> dict[str, Pooled]:
    """Return the figures of every source over all runs."""
    seeds = len({name.partition("-")[2] for name in folds.runs})
    sources = sorted({source for run in folds.runs.values() for source in run})
    return {
        name: _pool([run[name] for run in folds.runs.values()], seeds, resamples, seed) for name in sources
    }


def _pool(runs: list[SourceCounts], seeds: int, resamples: int, seed: int) -> Pooled:
    confusion = np.sum([run.confusion for run in runs], axis=0)
    right, both = np.diagonal(confusion), confusion.sum(axis=0) + confusion.sum(axis=1)
    rows = int(confusion.sum())
    gaps = np.sum([run.bin_right for run in runs], axis=0) - np.sum(
        [run.bin_confidence for run in runs], axis=0
    )
    accuracy, macro_f1 = bootstrap(confusion, rows // seeds, resamples, seed)
    return Pooled(
        rows=rows // seeds,
        accuracy=right.sum() / rows,
        accuracy_interval=accuracy,
        macro_f1=float((2 * right / np.maximum(both, 1)).mean()),
        macro_f1_interval=macro_f1,
        ece=float(np.abs(gaps).sum() / rows),
    )
