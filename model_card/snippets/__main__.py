"""The command line of the code blocks: `python -m model_card.snippets RUN`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from finsent.cli import print_anywhere, reporting_errors
from finsent.release import CARD
from model_card.snippets.run import run_snippets

DETAIL = 160  # characters of a detail in the table


def main(
    run: Annotated[Path, typer.Argument(help="folder of a run, which holds release/")],
    modules: Annotated[
        Path | None, typer.Option(envvar="NODE_PATH", help="node_modules with @huggingface/transformers")
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="run blocks, too, that finsent did not render: whoever wrote them can do what you can",
        ),
    ] = False,
) -> None:
    """Execute the code blocks of a card that finsent rendered; exit 1 when one fails.

    Each runs in a temporary home and an environment made from nothing. With HF_ENDPOINT set, those that ask a
    Hub run, too, and they alone get HF_TOKEN.
    """
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
    typer.run(main)
