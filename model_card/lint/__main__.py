"""Check a model card, and the files of its release if they are in the same folder.

python -m model_card.lint runs/quickstart/release/README.md

Each problem is one line: file, line, rule, message. Exit 0: clean, 1: problems found, 2: wrong usage.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from finsent.cli import make_app, print_anywhere, reporting_errors
from finsent.release import CARD, METRICS
from model_card.lint.card import lint_card
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import read_metrics

app = make_app(__doc__)


@app.command(help=app.info.help)
def main(
    file: Annotated[Path, typer.Argument(help=f"the {CARD} to check", exists=True, dir_okay=False)],
) -> None:
    """Check a model card; exit 1 when something is wrong with it."""
    with reporting_errors("nothing was changed"):
        problems = lint_file(file)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{file}: {len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{file}: clean", file=sys.stderr)


def lint_file(file: Path) -> list[Problem]:
    """Return what is wrong with a card, with the figures beside it where there are some."""
    try:
        text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [Problem(line, "encoding", f"byte {error.start} is not UTF-8; save the file as UTF-8")]
    beside = file.parent / METRICS
    metrics = read_metrics(beside) if beside.is_file() else None
    return lint_card(text, metrics, file.parent if metrics else None)


if __name__ == "__main__":
    print_anywhere()
    app()
