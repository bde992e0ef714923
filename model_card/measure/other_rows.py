"""A release scored on other rows: another labelled file, read by the columns of its recipe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table as Grid

from finsent.classify import folder_of, load_classifier
from finsent.cli import plain, say
from finsent.data.tables.columns import Columns, guess_columns
from finsent.data.tables.read import read_tables
from finsent.data.tables.table import Table
from finsent.errors import DataError
from finsent.recipe.data import TableSource
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, RECIPE
from finsent.scoring import Interval, Scores, score
from model_card.measure.metrics_file import read_metrics

BESIDE = (METRICS, RECIPE)


def score_and_write(
    model: str, files: list[Path], out: Path | None, text: str | None = None, label: str | None = None,
    revision: str | None = None,
) -> None:  # fmt: skip
    """Print the scores of a release on other rows, and write them as JSON."""
    if missing := [path for path in files if not path.is_file()]:
        raise DataError(f"{missing[0]}: no such file")
    found = score_on(model, files, text, label, revision)
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for part in describe(found):
        console.print(part)
    path = out or Path(f"{files[0].name.partition('.')[0]}.scores.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    say(f"written to {path}")


class OtherScores(BaseModel):
    """How a release does on other rows. `left_out` are rows whose label its recipe maps to null.

    `release` is a Hub id, or the name of its recipe, never a folder on this machine. `own` are its scores on
    its own test rows, by the same file; None where metrics.json does not say.
    """

    release: str
    version: str
    file: str
    data: list[str]
    text: str
    label: str
    left_out: int
    scores: Scores
    own: Scores | None


def score_on(
    source: str,
    files: list[Path],
    text: str | None = None,
    label: str | None = None,
    revision: str | None = None,
) -> OtherScores:
    """Score a run, release or Hub id on labelled files; nothing of the release is changed.

    The columns are those that are named, else those of the release's recipe, else guessed.
    Raises FinsentError: the release or a file cannot be read, or a label is none of the release's.
    """
    classifier = load_classifier(source, revision, beside=BESIDE)
    folder = folder_of(classifier)
    recipe, metrics = read_released_recipe(folder / RECIPE), read_metrics(folder / METRICS)
    table, _ = read_tables(files)
    columns = find_columns(table, recipe, text, label)
    texts, labels, left_out = take_rows(table, columns, recipe)
    numbers = np.array([classifier.labels.index(one) for one in labels])
    probabilities = classifier.predict(texts)
    file = str(classifier.file.relative_to(folder))
    return OtherScores(
        release=recipe.name if Path(source).exists() else source,
        version=metrics.version,
        file=file,
        data=[path.name for path in files],
        text=columns.text.name,
        label=columns.label.name,
        left_out=left_out,
        scores=score(probabilities, numbers, classifier.labels, recipe.evaluation.bootstrap, recipe.seed),
        own=next((one.scores for one in metrics.variants if one.file == file), None),
    )


def find_columns(table: Table, recipe: Recipe, text: str | None, label: str | None) -> Columns:
    """Return the columns of text and label: named, or those of a source of the recipe, or guessed."""
    for source in _table_sources(recipe):
        if {text or source.text, label or source.label} <= table.columns.keys():
            return guess_columns(table, text or source.text, label or source.label)
    return guess_columns(table, text, label)


def _table_sources(recipe: Recipe) -> list[TableSource]:
    return [source for source in recipe.data.sources if isinstance(source, TableSource)]


def take_rows(table: Table, columns: Columns, recipe: Recipe) -> tuple[list[str], list[str], int]:
    """Return texts and labels of the release, and how many rows are left out; DataError for other labels."""
    known: dict[str, str | None] = {label: label for label in recipe.labels}
    for source in recipe.data.sources:
        known |= source.labels
    texts: list[str] = []
    labels: list[str] = []
    pairs = zip(table.columns[columns.text.name], table.columns[columns.label.name], strict=True)
    for number, (text, value) in enumerate(pairs, 1):
        if value not in known:
            raise DataError(
                f"{table.name}, row {number}: unknown label {value!r} in column {columns.label.name!r}; the "
                f"release knows {list(known)[:20]}"
            )
        if (name := known[value]) is not None:
            texts.append(text)
            labels.append(name)
    if not texts:
        raise DataError(f"{table.name}: no row has one of the release's labels, {recipe.labels}")
    return texts, labels, table.rows - len(texts)


def describe(found: OtherScores) -> Iterator[RenderableType]:
    """Yield what a person reads: figures with intervals, then the classes, then what was taken for what."""
    where = ", ".join(found.data)
    yield f"{found.release} {found.version}, {found.file}, on {found.scores.n:,} rows of {where}"
    scores, own = found.scores, found.own
    yield _line("accuracy", scores.accuracy, scores.accuracy_interval, own.accuracy if own else None)
    yield _line("macro F1", scores.macro_f1, scores.macro_f1_interval, own.macro_f1 if own else None)
    yield _class_grid(found.scores)
    yield _confusion_grid(found.scores)


def _line(title: str, value: float, interval: Interval, own: float | None) -> str:
    beside = f"; {own:.3f} on its own test rows" if own is not None else ""
    return f"{title} {value:.3f} ({interval.low:.3f} to {interval.high:.3f}){beside}"


def _class_grid(scores: Scores) -> Grid:
    grid = Grid("Class", "Precision", "Recall", "F1", "Rows", box=None)
    for name, one in scores.per_class.items():
        shares = (f"{value:.3f}" for value in (one.precision, one.recall, one.f1))
        grid.add_row(plain(name), *shares, f"{one.support:,}")
    return grid


def _confusion_grid(scores: Scores) -> Grid:
    names = [plain(name) for name in scores.per_class]
    grid = Grid("Class / answer", *names, box=None)
    for name, counts in zip(names, scores.confusion, strict=True):
        grid.add_row(name, *(f"{count:,}" for count in counts))
    return grid
