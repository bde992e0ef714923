"""Render a model card again from the release's recipe and figures, without training.

python -m model_card.card runs/quickstart            write runs/quickstart/release/README.md
python -m model_card.card runs/quickstart --check    exit 1 if the card is out of date
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finsent import release
from finsent.cli import make_app, print_anywhere, reporting_errors
from finsent.errors import ReleaseError
from finsent.recipe.file import read_released_recipe
from model_card.card.build import build_card
from model_card.measure.metrics_file import read_metrics

app = make_app(__doc__)


@app.command(help=app.info.help)
def main(
    run: Annotated[Path, typer.Argument(help="folder of a run, such as runs/quickstart")],
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit 1 if the card is out of date")
    ] = False,
) -> None:
    """Render the card of a run again from its recipe and figures."""
    folder = release.Run(run).release
    card = folder / release.CARD
    with reporting_errors("the card may be incomplete; run again"):
        recipe = read_released_recipe(folder / release.RECIPE)
        text = build_card(recipe, read_metrics(folder / release.METRICS))
        if not check:
            card.write_text(text, encoding="utf-8", newline="\n")
        elif not card.is_file() or card.read_bytes() != text.encode():
            raise ReleaseError(f"{card}: is out of date; run again without --check to render it")
    print(card)


if __name__ == "__main__":
    print_anywhere()
    app()
