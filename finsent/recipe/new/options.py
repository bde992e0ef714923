"""The options of `python -m finsent.recipe.new`, one line each: --help is made of these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[list[str], typer.Argument(metavar="DATA...", help="files, or the id of a Hub data set")]
TextColumn = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="column of the texts")]
LabelColumn = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="column of the labels")]
Member = Annotated[str | None, typer.Option(metavar="FILE", help="file to read from a .zip with several")]
Sheet = Annotated[str | None, typer.Option(metavar="NAME", help="sheet to read from an .xlsx with several")]
Out = Annotated[Path | None, typer.Option(help="recipe to write; default: recipes/DATA.yaml")]
Title = Annotated[str | None, typer.Option(help="title of the model")]
Unit = Annotated[
    str | None,
    typer.Option(metavar="ONE/MANY", help="what one text and many are called, such as review/reviews"),
]
LabelName = Annotated[
    list[str] | None, typer.Option(metavar="VALUE=NAME", help="another name for a label; repeatable")
]
Meaning = Annotated[
    list[str] | None, typer.Option(metavar="LABEL=WORDS", help="what a label means; repeatable")
]
Example = Annotated[
    list[str] | None, typer.Option(metavar="LABEL=TEXT", help="an example text for card and demo; repeatable")
]
Licence = Annotated[str | None, typer.Option(help="licence of the data, as a Hub id such as cc-by-4.0")]
RepoId = Annotated[
    str | None, typer.Option(metavar="OWNER/NAME", help="id of the model on the Hub, owner/name")
]
Author = Annotated[str | None, typer.Option(help="author of the model")]
ShowTexts = Annotated[
    bool | None, typer.Option("--show-texts/--hide-texts", help="may card and demo show rows of the data?")
]
Yes = Annotated[bool, typer.Option("--yes", help="ask nothing and accept all guesses")]
Force = Annotated[bool, typer.Option("--force", help="overwrite an existing recipe")]
