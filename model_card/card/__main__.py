"""The command line of the card: `python -m model_card.card RUN` renders it again, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finsent import release
from finsent.cli import print_anywhere, reporting_errors
from finsent.errors import ReleaseError
from finsent.recipe.file import read_released_recipe
from model_card.card.build import build_card
from model_card.measure.metrics_file import read_metrics


def main(
    run: Annotated[Path, typer.Argument(help="folder of a run, which holds release/")],
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 if the card differs")] = False,
) -> None:
    """Render the card of a run again from its recipe and figures."""
    folder = release.Run(run).release
    card = folder / release.CARD
    with reporting_errors("the card may be half written; run again"):
        recipe = read_released_recipe(folder / release.RECIPE)
        text = build_card(recipe, read_metrics(folder / release.METRICS))
        if not check:
            card.write_text(text, encoding="utf-8", newline="\n")
        elif not card.is_file() or card.read_bytes() != text.encode():
            raise ReleaseError(f"{card}: is not what it is generated from; leave --check out to renew it")
    print(card)


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
