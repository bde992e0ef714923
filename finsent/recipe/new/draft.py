"""The recipe itself: what was seen in the table and what a person said, in the sections of a recipe file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finsent import REPOSITORY
from finsent.licences import combine_licences
from finsent.recipe.file import load_recipe
from finsent.recipe.new.columns import Columns
from finsent.recipe.new.commented import dump_commented
from finsent.recipe.new.defaults import Choice, choose_budget, choose_shares, choose_training
from finsent.recipe.new.labels import LabelValue
from finsent.recipe.new.layout import Layout
from finsent.recipe.new.place import Place
from finsent.recipe.new.questions import Answers
from finsent.recipe.new.words import FILL_IN, Subject, capital, write_words
from finsent.recipe.recipe import Recipe

QUICKSTART = REPOSITORY / "recipes" / "quickstart.yaml"


@dataclass(frozen=True)
class Seen:
    """What the data say of themselves. `tokens` is a length that 99 of 100 texts stay below."""

    place: Place
    layout: Layout
    columns: Columns
    labels: list[LabelValue]
    language: str
    language_reason: str
    texts: dict[str, list[str]]
    tokens: int
    unknown: float

    @property
    def name(self) -> str:
        """The name of the recipe."""
        return self.place.name

    @property
    def names(self) -> list[str]:
        """The labels of the release."""
        return list(dict.fromkeys(one.name for one in self.labels if one.name))

    @property
    def rows(self) -> int:
        """The rows that have a label of the release."""
        return sum(map(len, self.texts.values()))


def quickstart() -> Recipe:
    """Return the recipe whose encoder and rates are the default."""
    return load_recipe(QUICKSTART)


def write_recipe(seen: Seen, said: Answers) -> str:
    """Return the recipe with a comment at every key that was guessed or that a person should fill in."""
    base = quickstart()
    data_licence = said.licence or seen.place.licence or "other"
    source, comments = _source(seen, data_licence, bool(said.show_texts))
    validation, test = choose_shares(seen.rows)
    counts = [len(texts) for texts in seen.texts.values()]
    train_rows = round(seen.rows * (1 - validation - test)) if seen.place.lacks("test") else seen.rows
    training = choose_training(train_rows, min(counts), max(counts), seen.tokens)
    budget = choose_budget(round(seen.rows * test))
    licence = combine_licences({"data": data_licence, "base": base.base.licence}, "apache-2.0").id
    subject = Subject(seen.name, seen.names, seen.language, seen.language_reason, licence,
                      base.text.max_characters, seen.texts)  # fmt: skip
    words = write_words(subject, said)
    tree: dict[str, Any] = {
        "name": seen.name,
        "version": "0.1.0",
        "seed": 7,
        "labels": seen.names,
        "data": {"sources": [source], "validation": validation, "test": test},
        "base": base.base.model_dump(mode="json", exclude_unset=True),
        "training": _values(training),
        "export": {"variants": [{"name": "fp32"}, {"name": "quantized", "budget": _values(budget)}]},
        "card": words.card,
        "hub": words.hub,
    }
    comments |= _choice_comments("training", training)
    comments |= _choice_comments("export.variants.1.budget", budget)
    comments |= words.comments | _base_comment(seen)
    return _heading(seen) + dump_commented(tree, comments)


def _source(seen: Seen, licence: str, shown: bool) -> tuple[dict[str, Any], dict[str, str]]:
    layout, columns = seen.layout, seen.columns
    source = {
        "kind": "table",
        "name": seen.place.source_name,
        "title": seen.place.title,
        "licence": licence,
        **seen.place.keys,
        **layout.keys,
        "text": columns.text.name,
        "label": columns.label.name,
        **({"group": columns.group.name} if columns.group else {}),
        "show_texts": shown,
        "labels": {one.value: one.name for one in seen.labels},
    }
    at = "data.sources.0"
    comments = {f"{at}.{key}": f"Guessed: {reason}." for key, reason in layout.reasons.items()}
    comments |= {
        f"{at}.text": f"Guessed: {columns.text.reason}.",
        f"{at}.label": f"Guessed: {columns.label.reason}.",
    }
    if columns.group:
        comments[f"{at}.group"] = f"Guessed: {columns.group.reason}."
    if licence == "other":
        comments[f"{at}.licence"] = f"{FILL_IN}: the licence of the data, by its id on the Hub."
    comments[f"{at}.show_texts"] = "Whether card and demo may show rows of the data."
    if few := [one for one in seen.labels if one.name is None]:
        told = ", ".join(f"{one.value} has {one.rows}" for one in few)
        comments[f"{at}.labels"] = f"null leaves rows out; too few to learn from: {told}."
    return source, comments


def _values(choices: dict[str, Choice]) -> dict[str, Any]:
    return {name: choice.value for name, choice in choices.items()}


def _choice_comments(section: str, choices: dict[str, Choice]) -> dict[str, str]:
    return {
        f"{section}.{name}": f"{capital(choice.reason)}." for name, choice in choices.items() if choice.reason
    }


def _base_comment(seen: Seen) -> dict[str, str]:
    if seen.unknown < 0.01:
        return {}
    told = f"{seen.unknown:.0%} of the words are unknown to this encoder; another one reads them better."
    return {"base": f"{FILL_IN}: {told}"}


def _heading(seen: Seen) -> str:
    return (
        f"# Written by python -m finsent.recipe.new from {seen.rows:,} rows. It trains as it stands:\n"
        f"#   python train.py {_beside(seen.place.recipe)}\n"
        f"# Guesses carry their reason. What only you can know is marked {FILL_IN}.\n"
    )


def _beside(recipe: Path) -> str:
    """Return a path without this machine in it: as it is typed here, or the name alone."""
    path = recipe.absolute()
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name
