"""Classify texts with a release, on the command line.

python -m finsent.classify runs/quickstart "Profit rose" "Sales fell"
python -m finsent.classify me/finsent news.csv --text title > answers.jsonl
cat lines.txt | python -m finsent.classify runs/quickstart --format csv

The output is a table on a terminal and JSON lines elsewhere. For large files use python -m serving.bulk.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from finsent.cli import make_app, plain, print_anywhere, quiet_libraries, reporting_errors
from finsent.data.sources.formats import is_table
from finsent.data.tables.columns import guess_text_column
from finsent.data.tables.read import read_tables
from finsent.errors import DataError, ReleaseError, first_line
from finsent.onnx_files import FP32, QUANTIZED
from finsent.release import ABSTAIN_BELOW, CONFIG, Run
from inference.classifier import FILES, Classifier, Prediction, fetch

BLOCK = 4096  # texts that are classified before their answers are printed

app = make_app(__doc__)


class Format(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def load_classifier(
    source: str, revision: str | None = None, threads: int = 1, beside: Sequence[str] = ()
) -> Classifier:
    """Load the quantized file of a run, a release folder or a Hub id, else its full file.

    `beside` are other files of a Hub repository that are wanted in its folder, where it has them.
    ReleaseError if there is no such release.
    """
    release = Run(Path(source)).release
    place = str(release) if release.is_dir() else source
    try:
        folder = fetch(place, (*FILES, *beside, QUANTIZED.path, FP32.path), revision, required=FILES)
        file = QUANTIZED.path if (folder / QUANTIZED.path).is_file() else FP32.path
        return Classifier(folder, file, threads=threads)
    except Exception as error:  # the Hub's client, tokenizers and onnxruntime raise types of their own
        raise ReleaseError(
            f"{source}: cannot be loaded ({first_line(error)}); give a run, a release or a Hub id"
        ) from error


def folder_of(classifier: Classifier) -> Path:
    """Return the release that a classifier was loaded from; its ONNX files are in a folder of it."""
    return classifier.file.parent.parent


def read_threshold(classifier: Classifier) -> float:
    """Return the probability below which the release calls itself unsure, 0 where it names none."""
    config = folder_of(classifier) / CONFIG
    return float(json.loads(config.read_text(encoding="utf-8")).get(ABSTAIN_BELOW) or 0.0)


def read_texts(inputs: list[str], column: str | None) -> Iterator[str]:
    """Yield the texts that arguments name: each a file or a text itself; without any, the lines of stdin.

    DataError: a file is missing or cannot be read, or there is nothing to read.
    """
    if not inputs and sys.stdin.isatty():
        raise DataError("nothing to classify; give texts or a file, or send lines to stdin")
    for one in inputs or ["-"]:
        if one == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        elif len(one) < 4096 and Path(one).is_file():
            yield from _file_texts(Path(one), column)
        elif is_table(one) and " " not in one:
            raise DataError(f"{one}: no such file; to classify this text itself, send it to stdin")
        else:
            yield one


def _file_texts(path: Path, column: str | None) -> Iterator[str]:
    if path.suffix.lower() in ("", ".txt", ".log", ".md") and column is None:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            yield from (line.rstrip("\n") for line in lines)
        return
    table, _ = read_tables([path])
    yield from table.columns[guess_text_column(table, column).name]


def classify(classifier: Classifier, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
    """Yield each text with its answer, block by block."""
    waiting = iter(texts)
    while block := list(itertools.islice(waiting, BLOCK)):
        yield from zip(block, classifier.classify(block), strict=True)


def print_jsonl(answers: Iterable[tuple[str, Prediction]], unsure_below: float) -> None:
    """Print an object a line."""
    for text, found in answers:
        told = {"text": text, "label": found.label, "score": round(found.score, 6)}
        scores = {label: round(score, 6) for label, score in found.scores.items()}
        unsure = {"unsure": found.score < unsure_below} if unsure_below else {}
        print(json.dumps({**told, **unsure, "scores": scores}, ensure_ascii=False))


def print_csv(answers: Iterable[tuple[str, Prediction]], labels: list[str]) -> None:
    """Print a header, then a row a text with the probability of every label."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["text", "label", "score", *labels])
    for text, found in answers:
        scores = (f"{found.scores[label]:.6f}" for label in labels)
        rows.writerow([text, found.label, f"{found.score:.6f}", *scores])


def print_table(answers: Iterable[tuple[str, Prediction]], unsure_below: float) -> None:
    """Print a table for a person."""
    grid = Grid("Text", "Label", "Probability", box=None, pad_edge=False)
    for text, found in answers:
        unsure = " (unsure)" if found.score < unsure_below else ""
        grid.add_row(plain(text), plain(found.label), f"{found.score:.3f}{unsure}")
    Console(markup=False, highlight=False).print(grid)


@app.command(help=app.info.help)
def main(
    model: Annotated[str, typer.Argument(metavar="RUN|HUB_ID", help="a run, a release folder or a Hub id")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT...|FILE", help="texts or files; lines from stdin if none or '-'"),
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="column with the texts")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="default: table on a terminal, jsonl elsewhere")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="commit, tag or branch of the model")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="default: one per core")] = None,
) -> None:
    """Classify; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("every printed answer is complete"):
        classifier = load_classifier(model, revision, threads or len(os.sched_getaffinity(0)))
        answers = classify(classifier, read_texts(inputs or [], text))
        try:
            print_answers(answers, form or _usual_format(), classifier)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read has seen enough, such as `head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usual_format() -> Format:
    return Format.TABLE if sys.stdout.isatty() else Format.JSONL


def print_answers(answers: Iterable[tuple[str, Prediction]], form: Format, classifier: Classifier) -> None:
    """Print all answers in a format."""
    unsure_below = read_threshold(classifier)
    if form is Format.TABLE:
        print_table(answers, unsure_below)
    elif form is Format.CSV:
        print_csv(answers, classifier.labels)
    else:
        print_jsonl(answers, unsure_below)


if __name__ == "__main__":
    print_anywhere()
    app()
