"""The options of train.py and pretrain.py, one line each: --help is made of these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="the recipe to build")]
Runs = Annotated[Path, typer.Option(help="folder for releases, one folder per recipe")]
EvaluateOn = Annotated[
    Path | None, typer.Option(metavar="FILE", help="do not train; score the release on this labelled file")
]
WriteAnswers = Annotated[
    bool,
    typer.Option(
        "--write-answers", help="do not train; write what the teachers answer to distillation.answers"
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="continue from the last checkpoint")]
PretrainingFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="the recipe of the encoder")]
IfMissing = Annotated[
    bool,
    typer.Option(
        "--if-missing", help="only if this recipe has not built it yet; wait for a run that is building it"
    ),
]
