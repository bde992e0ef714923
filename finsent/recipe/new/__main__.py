"""Write a recipe for your own table; it is ready to train.

python -m finsent.recipe.new reviews.csv                             write recipes/reviews.yaml
python -m finsent.recipe.new train.tsv test.tsv --out recipes/mine.yaml
python -m finsent.recipe.new owner/dataset --licence cc-by-4.0 --unit tweet/tweets
"""

from __future__ import annotations

import shlex
from pathlib import Path

from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors, say
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.errors import RecipeError
from finsent.hub_id import check_hub_id
from finsent.mirror import mirror_from_environment
from finsent.recipe.file import load_recipe
from finsent.recipe.new import options
from finsent.recipe.new.draft import Seen, write_recipe
from finsent.recipe.new.look import Named, look_at
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

app = make_app(__doc__)


@app.command(help=app.info.help)
def main(
    data: options.Data,
    text: options.TextColumn = None,
    label: options.LabelColumn = None,
    member: options.Member = None,
    sheet: options.Sheet = None,
    out: options.Out = None,
    title: options.Title = None,
    unit: options.Unit = None,
    label_name: options.LabelName = None,
    meaning: options.Meaning = None,
    example: options.Example = None,
    licence: options.Licence = None,
    repo_id: options.RepoId = None,
    author: options.Author = None,
    show_texts: options.ShowTexts = None,
    yes: options.Yes = False,
    force: options.Force = False,
) -> None:
    """Write one recipe; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("nothing was written"):
        meanings, examples = split_pairs(meaning, "--meaning"), split_pairs(example, "--example")
        said = Answers(title, unit, licence, repo_id, author, show_texts, meanings, examples)
        check_answers(said)
        mirror = mirror_from_environment()
        place = find_place(data, out, mirror)
        if place.recipe.exists() and not force:
            raise RecipeError(f"{place.recipe}: exists already; choose another with --out, or add --force")
        inside = {key: told for key, told in (("member", member), ("sheet", sheet)) if told is not None}
        named = Named(text, label, split_pairs(label_name, "--label-name"), inside)
        seen = look_at(place, named, mirror)
        check_labels(said, seen.names)
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


def check_labels(said: Answers, labels: list[str]) -> None:
    """Raise RecipeError for words on a label that the recipe does not have."""
    for option, told in (("--meaning", said.meanings), ("--example", said.examples)):
        if unknown := sorted(told.keys() - set(labels)):
            raise RecipeError(f"{option}: there is no label {unknown[0]!r}; the labels are {labels[:20]}")


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
