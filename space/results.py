"""Many headlines at once: classified batch by batch, written to files, and read back page by page.

Results live in files and not in memory, so a hundred waiting visitors cost no more than one.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from inference.classifier import Classifier, Probabilities

from tables import Table, distinct

MOST_CHARACTERS = 10_000
PAGE_ROWS = 50
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what spreadsheets take for the start of a formula, wide forms too
NOT_DONE = "not classified: cancelled"


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


@dataclass(frozen=True)
class Line:
    """One row as the result page shows it; label, score and shares are None for a row with a problem."""

    number: int
    text: str
    label: str | None
    score: float | None
    shares: list[float | None]
    unsure: bool
    problem: str | None


@dataclass(frozen=True)
class Page:
    """A page of lines, of `pages`; `total` rows pass the filter."""

    lines: list[Line]
    page: int
    pages: int
    total: int


class Run:
    """A table on its way through the classifier."""

    def __init__(self, classifier: Classifier, table: Table, column: str) -> None:
        """Take the texts out of `column`; KeyError when there is no such column."""
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
            self.problems.get(row) or (None if found[row] else NOT_DONE)
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
        return "empty"
    if not isinstance(cell, str):
        return f"{type(cell).__name__} where text is expected"
    if len(cell) > MOST_CHARACTERS:
        return f"{len(cell):,} characters; at most {MOST_CHARACTERS:,} are read"
    return None


def neutralise(cell: Any) -> Any:  # noqa: ANN401  (whatever a table holds)
    """Put an apostrophe before text that a spreadsheet would run as a formula; plain numbers stay.

    See the OWASP page "CSV Injection".
    """
    if not isinstance(cell, str) or not cell.lstrip(" ").startswith(FORMULA):
        return cell
    return cell if _is_number(cell) else "'" + cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as CSV for spreadsheets: UTF-8 with a mark, no cell that starts a formula."""
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow([neutralise(name) for name in table.column_names])
        for batch in table.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                writer.writerow([_rounded(neutralise(cell)) for cell in row])


def _rounded(cell: Any) -> Any:  # noqa: ANN401
    return round(cell, 6) if isinstance(cell, float) else cell


def _to_array(cells: tuple[Any, ...]) -> pa.Array:
    """Return one column; where the types of its cells differ, all of them as text."""
    clean = [cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell for cell in cells]
    try:
        return pa.array(clean)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if cell is None else str(cell) for cell in clean], pa.string())


def orders(labels: list[str]) -> dict[str, tuple[str, str]]:
    """Return the ways to sort: what is shown -> (key, direction)."""
    shown = {
        "as uploaded": ("row", "ascending"),
        "least sure first": ("score", "ascending"),
        "surest first": ("score", "descending"),
        "text, A to Z": ("text", "ascending"),
    }
    return shown | {f"most {label} first": (label, "descending") for label in labels}


def filters(labels: list[str]) -> list[str]:
    """Return the ways to filter by answer."""
    return ["all rows", *labels, "unsure", "with a problem"]


def read_page(result: Result, show: str, contains: str, order: str, page: int) -> Page:
    """Return a page of the rows that pass both filters, in the order that is named as in `orders`."""
    table = pq.read_table(result.parquet)
    names = result.columns
    text = table[names.text].cast(pa.string()) if not _is_text(table[names.text]) else table[names.text]
    mask = _mask(table, names, show)
    if contains:
        found = pc.fill_null(pc.match_substring(text, contains, ignore_case=True), False)
        mask = pc.and_(mask, found)
    key, direction = orders(result.labels)[order]
    by = {"row": pa.chunked_array([np.arange(table.num_rows)]), "score": table[names.score], "text": text}
    by |= {label: table[name] for label, name in names.shares.items()}
    chosen = pc.sort_indices(pa.table({"by": by[key]}), sort_keys=[("by", direction)])
    chosen = chosen.filter(pc.take(mask, chosen))
    pages = max(1, -(-len(chosen) // PAGE_ROWS))
    page = min(max(1, page), pages)
    window = chosen.slice((page - 1) * PAGE_ROWS, PAGE_ROWS)
    return Page(_lines(table.take(window), window.to_pylist(), names), page, pages, len(chosen))


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _mask(table: pa.Table, names: Columns, show: str) -> Any:  # noqa: ANN401  (pyarrow has no types)
    if show == "unsure":
        return pc.fill_null(table[names.unsure], False)
    if show == "with a problem":
        return pc.is_valid(table[names.problem])
    if show == "all rows":
        return pa.chunked_array([np.ones(table.num_rows, dtype=bool)])
    return pc.fill_null(pc.equal(table[names.label], show), False)


def _lines(table: pa.Table, positions: list[int], names: Columns) -> list[Line]:
    shares = [table[name].to_pylist() for name in names.shares.values()]
    columns = zip(
        positions,
        table[names.text].to_pylist(),
        table[names.label].to_pylist(),
        table[names.score].to_pylist(),
        zip(*shares, strict=True),
        table[names.unsure].to_pylist(),
        table[names.problem].to_pylist(),
        strict=True,
    )
    return [
        Line(number + 1, "" if text is None else str(text), label, score, list(parts), bool(unsure), problem)
        for number, text, label, score, parts, unsure, problem in columns
    ]
