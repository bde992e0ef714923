"""The options of train.py and pretrain.py, one line each: --help is made of these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="what to make")]
Runs = Annotated[Path, typer.Option(help="where releases go, a folder a recipe")]
EvaluateOn = Annotated[
    Path | None, typer.Option(metavar="FILE", help="train nothing; score the release on this labelled file")
]
Resume = Annotated[bool, typer.Option("--resume", help="go on from the last checkpoint")]
PretrainingFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="which encoder to make")]
IfMissing = Annotated[
    bool,
    typer.Option("--if-missing", help="only where this recipe has not made it; wait for a run that does"),
]
