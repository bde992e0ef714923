"""What no file tells: asked on a terminal, taken from options, or left with a default that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import typer

from finsent.errors import FinsentError, RecipeError
from finsent.hub_id import check_hub_id
from finsent.licences import OTHER, find_licence

EXAMPLES = 3  # texts that the demo opens with
MOST_ASKED = 8  # labels whose meaning is asked for; with more a person edits the file


@dataclass(frozen=True)
class Answers:
    """What a person said; None or empty where he did not."""

    title: str | None = None
    unit: str | None = None
    licence: str | None = None
    hub_id: str | None = None
    author: str | None = None
    show_texts: bool | None = None
    meanings: dict[str, str] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)


def is_somebody_there() -> bool:
    """Return whether questions would be read and answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_missing(given: Answers, name: str, labels: list[str]) -> Answers:
    """Ask for what `given` lacks. Nothing is asked twice, and Enter takes what stands in brackets."""
    title = given.title or _ask("Title of the model", name.replace("-", " ").capitalize())
    unit = given.unit or _ask(
        "What are one text and several texts called? (one/many)", "text/texts", split_unit
    )
    meanings = dict(given.meanings)
    for label in labels[:MOST_ASKED]:
        if label not in meanings:
            meanings[label] = _ask(f"What does {label!r} mean?", label)
    licence = given.licence or _ask("Licence of the data (a Hub licence id)", OTHER, check_licence)
    hub_id = given.hub_id or _ask("Hub id of the model (owner/name)", f"me/{name}", check_hub_id)
    shown = given.show_texts
    if shown is None:
        shown = typer.confirm("May the model card and the demo show texts of the data?", False, err=True)
    examples = given.examples or ({} if shown else _ask_examples(labels, split_unit(unit)[0]))
    filled = {label: told for label, told in meanings.items() if told != label}
    return replace(
        given, title=title, unit=unit, licence=licence, hub_id=hub_id, show_texts=shown, meanings=filled,
        examples=examples,
    )  # fmt: skip


def _ask_examples(labels: list[str], one: str) -> dict[str, str]:
    """Ask for a text a label; none where a person has no patience for it."""
    asked = {
        label: _ask(f"A {one} for the demo that is {label} (Enter: none)", "") for label in labels[:EXAMPLES]
    }
    return {label: text for label, text in asked.items() if text}


def _ask(question: str, default: str, check: Callable[[str], object] | None = None) -> str:
    """Ask until the answer passes its check."""
    while True:
        answer = str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        try:
            if check is not None:
                check(answer)
            return answer
        except (ValueError, FinsentError) as error:
            typer.echo(str(error), err=True)


def check_licence(licence: str) -> str:
    """Return a licence that a source may have; RecipeError for one that is not known."""
    return find_licence(licence, "--licence").id


def split_unit(unit: str) -> tuple[str, str]:
    """Return what one text and many are called, from `review/reviews` or `review`."""
    one, _, many = (part.strip() for part in unit.partition("/"))
    if not one or "/" in many:
        raise RecipeError(f"--unit: got {unit!r}; write it as ONE/MANY, for example review/reviews")
    return one, many or f"{one}s"


def split_pairs(pairs: list[str] | None, option: str) -> dict[str, str]:
    """Return `key=value` options as a dict; RecipeError for one without an equals sign."""
    found: dict[str, str] = {}
    for pair in pairs or ():
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise RecipeError(f"{option}: got {pair!r}; write it as LABEL=WORDS")
        found[key] = value
    return found
