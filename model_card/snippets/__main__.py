"""Run the code blocks of a model card that finsent wrote; exit 1 if one fails.

python -m model_card.snippets runs/quickstart
HF_ENDPOINT=http://127.0.0.1:8090 python -m model_card.snippets runs/quickstart    also those that ask a Hub

Each block runs in a temporary home with a minimal environment. Blocks that ask a Hub run only if
HF_ENDPOINT is set, and only they get HF_TOKEN.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from finsent.cli import make_app, print_anywhere, reporting_errors
from finsent.release import CARD
from model_card.snippets.run import run_snippets

app = make_app(__doc__)

DETAIL = 160  # characters of a detail in the table


@app.command(help=app.info.help)
def main(
    run: Annotated[Path, typer.Argument(help="folder of a run, such as runs/quickstart")],
    modules: Annotated[
        Path | None, typer.Option(envvar="NODE_PATH", help="node_modules with @huggingface/transformers")
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="also run blocks that finsent did not write: they are somebody's programs, with your rights",
        ),
    ] = False,
) -> None:
    """Run the blocks and print a table of results."""
    table = Table("Line", "Language", "Result", "Detail")
    failed = 0
    with reporting_errors("nothing was changed"):
        endpoint, token = os.environ.get("HF_ENDPOINT"), os.environ.get("HF_TOKEN")
        for result in run_snippets(run, modules, endpoint, every=every, token=token):
            failed += result.state == "failed"
            print(f"{CARD}:{result.block.line}: {result.state}", file=sys.stderr)
            table.add_row(str(result.block.line), result.block.language, result.state, result.detail[:DETAIL])
    Console(markup=False).print(table)
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    print_anywhere()
    app()
