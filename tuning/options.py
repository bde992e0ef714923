"""The options of tune.py, one line each: --help is made of these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SearchFile = Annotated[
    Path, typer.Argument(metavar="SEARCH", help="the search, or a recipe to search around")
]
Runs = Annotated[Path, typer.Option(help="folder for searches, one folder per search")]
Trials = Annotated[
    int | None, typer.Option(min=1, help="total number of trials, instead of what the search says")
]
