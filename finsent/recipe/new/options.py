"""The options of `python -m finsent.recipe.new`, one line each: --help is made of these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[list[str], typer.Argument(metavar="DATA...", help="files, or the id of a Hub data set")]
TextColumn = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="column of the texts")]
LabelColumn = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="column of the labels")]
Member = Annotated[str | None, typer.Option(metavar="FILE", help="which file of a .zip with several")]
Sheet = Annotated[str | None, typer.Option(metavar="NAME", help="which sheet of an .xlsx with several")]
Out = Annotated[Path | None, typer.Option(help="the recipe; recipes/DATA.yaml by default")]
Title = Annotated[str | None, typer.Option(help="of the model")]
Unit = Annotated[str | None, typer.Option(metavar="ONE/MANY", help="what a text is called: review/reviews")]
LabelName = Annotated[
    list[str] | None, typer.Option(metavar="VALUE=NAME", help="another name for a label, once for each")
]
Meaning = Annotated[list[str] | None, typer.Option(metavar="LABEL=WORDS", help="what a label means")]
Example = Annotated[list[str] | None, typer.Option(metavar="LABEL=TEXT", help="a text for card and demo")]
Licence = Annotated[str | None, typer.Option(help="of the data, by its Hub id, such as cc-by-4.0")]
RepoId = Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="where the model goes")]
Author = Annotated[str | None, typer.Option(help="who answers for the model")]
ShowTexts = Annotated[
    bool | None, typer.Option("--show-texts/--hide-texts", help="may card and demo show rows of the data?")
]
Yes = Annotated[bool, typer.Option("--yes", help="ask nothing, take what is guessed")]
Force = Annotated[bool, typer.Option("--force", help="write over a recipe that is there")]
