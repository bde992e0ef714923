"""The command line of the card: `python -m model_card.card RUN` renders it again, without training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from finsent import release
from finsent.cli import print_anywhere
from finsent.errors import FinsentError, ReleaseError
from finsent.recipe.file import read_released_recipe
from model_card.card.build import build_card
from model_card.measure.metrics import read_metrics


def main(
    run: Annotated[Path, typer.Argument(help="folder of a run, which holds release/")],
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 if the card differs")] = False,
) -> None:
    """Render the card of a run again from its recipe and figures."""
    folder = release.Run(run).release
    card = folder / release.CARD
    try:
        recipe = read_released_recipe(folder / release.RECIPE)
        text = build_card(recipe, read_metrics(folder / release.METRICS))
        if not check:
            card.write_text(text, encoding="utf-8", newline="\n")
        elif not card.is_file() or card.read_bytes() != text.encode():
            raise ReleaseError(f"{card}: is not what it is generated from; leave --check out to renew it")
    except FinsentError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    print(card)


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
