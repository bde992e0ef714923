"""From your table to a recipe that trains as it stands.

\b
python -m finsent.recipe.new reviews.csv                             into recipes/reviews.yaml
python -m finsent.recipe.new train.tsv test.tsv --out recipes/mine.yaml
python -m finsent.recipe.new owner/dataset --licence cc-by-4.0 --unit tweet/tweets
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from finsent.cli import print_anywhere, quiet_libraries, reporting_errors, say
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.errors import RecipeError
from finsent.hub_id import check_hub_id
from finsent.mirror import mirror_from_environment
from finsent.recipe.file import load_recipe
from finsent.recipe.new.draft import Seen, write_recipe
from finsent.recipe.new.look import look_at
from finsent.recipe.new.place import Place, find_place
from finsent.recipe.new.questions import (
    Answers,
    ask_missing,
    check_licence,
    is_somebody_there,
    split_pairs,
    split_unit,
)
from finsent.recipe.new.words import FILL_IN

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Text = str | None


@app.command(help=__doc__)
def main(
    data: Annotated[list[str], typer.Argument(metavar="DATA...", help="files, or the id of a Hub data set")],
    text: Annotated[Text, typer.Option(metavar="COLUMN", help="column of the texts")] = None,
    label: Annotated[Text, typer.Option(metavar="COLUMN", help="column of the labels")] = None,
    out: Annotated[Path | None, typer.Option(help="the recipe; recipes/<data>.yaml by default")] = None,
    title: Annotated[Text, typer.Option(help="of the model")] = None,
    unit: Annotated[
        Text, typer.Option(metavar="ONE/MANY", help="what a text is called: review/reviews")
    ] = None,
    label_name: Annotated[list[str], typer.Option(metavar="VALUE=NAME", help="a label by another name")] = [],  # noqa: B006
    meaning: Annotated[list[str], typer.Option(metavar="LABEL=WORDS", help="what a label means")] = [],  # noqa: B006
    example: Annotated[list[str], typer.Option(metavar="LABEL=TEXT", help="a text for the demo")] = [],  # noqa: B006
    licence: Annotated[Text, typer.Option(help="of the data, by its Hub id, such as cc-by-4.0")] = None,
    repo_id: Annotated[Text, typer.Option(metavar="OWNER/NAME", help="where the model goes")] = None,
    author: Annotated[Text, typer.Option(help="who answers for the model")] = None,
    show_texts: Annotated[
        bool | None,
        typer.Option("--show-texts/--hide-texts", help="may card and demo show rows of the data?"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="ask nothing")] = False,
    force: Annotated[bool, typer.Option("--force", help="write over a recipe that is there")] = False,
) -> None:
    """Write one recipe; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("nothing was written"):
        pairs = [
            split_pairs(given, f"--{name}") for name, given in (("meaning", meaning), ("example", example))
        ]
        said = Answers(title, unit, licence, repo_id, author, show_texts, *pairs)
        check_answers(said)
        mirror = mirror_from_environment()
        place = find_place(data, out, mirror)
        if place.recipe.exists() and not force:
            raise RecipeError(f"{place.recipe}: is there already; name another with --out, or add --force")
        seen = look_at(place, text, label, split_pairs(label_name, "--label-name"), mirror)
        describe(seen)
        if is_somebody_there() and not yes:
            said = ask_missing(said, seen.name, seen.names)
        content = write_recipe(seen, said)
        save(place, content, mirror)
        tell_next(place.recipe, content)


def check_answers(said: Answers) -> None:
    """Raise RecipeError for an option that no recipe could hold, before anything is read."""
    try:
        split_unit(said.unit or "text/texts")
        check_licence(said.licence or "apache-2.0")
        check_hub_id(said.hub_id or "me/model")
    except ValueError as error:
        raise RecipeError(f"--repo-id: {error}") from None


def describe(seen: Seen) -> None:
    """Say what was guessed."""
    columns = seen.columns
    say(f"text: column {columns.text.name!r}, {columns.text.reason}")
    say(f"label: column {columns.label.name!r}, {columns.label.reason}")
    if columns.group:
        say(f"group: column {columns.group.name!r}, {columns.group.reason}")
    counts = ", ".join(f"{name} {len(seen.texts[name]):,}" for name in seen.names)
    say(f"labels: {counts}")
    for one in seen.labels:
        if one.name is None:
            say(f"left out: {one.value!r} has {one.rows} rows, too few to learn from")
    say(f"language: {seen.language}, {seen.language_reason}")


def save(place: Place, content: str, mirror: Path | None) -> None:
    """Write a recipe once it has been read, and its data by it; what was there stays when either fails."""
    path = place.recipe
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(content, encoding="utf-8")
    try:
        recipe = load_recipe(partial)
        read_source(recipe.data.sources[0], Places(mirror, recipe.home))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def tell_next(path: Path, content: str) -> None:
    """Print the path of the recipe; say what a person should fill in, and the command that comes next."""
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip().startswith(f"# {FILL_IN}"):
            say(f"{path}:{number}: {line.strip(' #')}")
    print(path)
    say(f"next: python train.py {shlex.quote(str(path))}")


if __name__ == "__main__":
    print_anywhere()
    app()
