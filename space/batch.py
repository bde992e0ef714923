"""Many texts at once: classified batch by batch and written to files.

Results live in files and not in memory, so a hundred waiting visitors cost no more than one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from inference.classifier import Classifier, Probabilities, replace_surrogates

from spreadsheet import write_csv
from table import Table, distinct
from words import phrase

MOST_CHARACTERS = 10_000


@dataclass(frozen=True)
class Columns:
    """How the columns that are added are called in this table; the uploaded ones keep their names."""

    text: str
    label: str
    score: str
    shares: dict[str, str]
    unsure: str
    problem: str


@dataclass(frozen=True)
class Result:
    """A classified table on disk. `counts` has the rows of each label, `done` how many were classified."""

    parquet: Path
    csv: Path
    columns: Columns
    labels: list[str]
    counts: dict[str, int]
    rows: int
    done: int
    unsure: int


class BatchRun:
    """A table on its way through the classifier."""

    def __init__(self, classifier: Classifier, table: Table, column: str) -> None:
        """Take the texts out of `column`; KeyError if there is no such column."""
        if column not in table.columns:
            raise KeyError(column)
        self.table, self.column = table, column
        index = table.columns.index(column)
        self.problems = dict(table.problems)
        self._classifier = classifier
        self._positions: list[int] = []
        self._texts: list[str] = []
        for position, row in enumerate(table.rows):
            problem = self.problems.get(position) or find_problem(row[index])
            if problem:
                self.problems[position] = problem
            else:
                self._positions.append(position)
                self._texts.append(row[index])
        self.probabilities: Probabilities = np.full(
            (len(table.rows), len(classifier.labels)), np.nan, dtype=np.float32
        )
        self.done = 0

    @property
    def total(self) -> int:
        """How many rows can be classified."""
        return len(self._texts)

    def steps(self) -> Iterator[int]:
        """Classify, yielding after every batch how many rows are done."""
        positions = np.array(self._positions, dtype=np.intp)
        for batch, probabilities in self._classifier.batches(self._texts):
            self.probabilities[positions[batch]] = probabilities
            self.done += len(batch)
            yield self.done

    def write(self, folder: Path, threshold: float) -> Result:
        """Write result.parquet and result.csv; rows below `threshold` are marked as unsure."""
        labels = self._classifier.labels
        added = self._added(labels, threshold)
        names = distinct([*self.table.columns, *added])[len(self.table.columns) :]
        columns = Columns(
            self.column, names[0], names[1], dict(zip(labels, names[2:-2], strict=True)), names[-2], names[-1]
        )
        arrays = [_to_array(cells) for cells in zip(*self.table.rows, strict=True)]
        table = pa.table([*arrays, *added.values()], names=[*self.table.columns, *names])
        folder.mkdir(parents=True, exist_ok=True)
        parquet, file = folder / "result.parquet", folder / "result.csv"
        pq.write_table(table, parquet)
        write_csv(table, file)
        counts = Counter(label for label in added["predicted label"].to_pylist() if label)
        return Result(
            parquet,
            file,
            columns,
            labels,
            {label: counts[label] for label in labels},
            table.num_rows,
            self.done,
            int(pc.sum(added["unsure"]).as_py() or 0),
        )

    def _added(self, labels: list[str], threshold: float) -> dict[str, pa.Array]:
        found = ~np.isnan(self.probabilities[:, 0])
        best = np.where(found, np.nan_to_num(self.probabilities).argmax(axis=1), 0)
        score = self.probabilities[np.arange(len(best)), best]
        problems = [
            self.problems.get(row) or (None if found[row] else phrase("not_done"))
            for row in range(len(self.table.rows))
        ]
        added = {
            "predicted label": pa.array(
                [labels[index] if known else None for index, known in zip(best, found, strict=True)],
                pa.string(),
            ),
            "score": pa.array(score.astype(np.float64), mask=~found),
        }
        for index, label in enumerate(labels):
            added[f"p {label}"] = pa.array(self.probabilities[:, index].astype(np.float64), mask=~found)
        added["unsure"] = pa.array(score < threshold, mask=~found)
        added["problem"] = pa.array(problems, pa.string())
        return added


def find_problem(cell: Any) -> str | None:  # noqa: ANN401  (whatever a file holds)
    """Say why a cell cannot be classified; None when it can."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return phrase("problem_empty")
    if not isinstance(cell, str):
        return f"{type(cell).__name__} instead of a text"
    if len(cell) > MOST_CHARACTERS:
        return phrase("problem_long", count=f"{len(cell):,}", most=f"{MOST_CHARACTERS:,}")
    return None


def _to_array(cells: tuple[Any, ...]) -> pa.Array:
    """Return one column; where the types of its cells differ, all of them as text."""
    clean = [replace_surrogates(cell) if isinstance(cell, str) else cell for cell in cells]
    try:
        return pa.array(clean)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if cell is None else str(cell) for cell in clean], pa.string())
