"""Score a release on another labelled file; the release stays as it is.

python -m model_card.measure runs/quickstart others.csv
python -m model_card.measure me/finsent others.jsonl --text title --label tone --out others.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors
from model_card.measure.other_rows import score_and_write

app = make_app(__doc__)


@app.command(help=app.info.help)
def main(
    model: Annotated[str, typer.Argument(metavar="RUN|HUB_ID", help="a run, a release folder or a Hub id")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="tables with the same columns")],
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="default: the recipe's")] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="default: the recipe's")] = None,
    out: Annotated[Path | None, typer.Option(help="file to write; default: FILE.scores.json here")] = None,
    revision: Annotated[str | None, typer.Option(help="commit, tag or branch of the model")] = None,
) -> None:
    """Score; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("nothing was written"):
        score_and_write(model, files, out, text, label, revision)


if __name__ == "__main__":
    print_anywhere()
    app()
