"""The recipe itself: what was seen in the table and what a person said, in the sections of a recipe file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finsent import REPOSITORY
from finsent.data.tables.columns import Columns
from finsent.data.tables.layout import Layout
from finsent.licences import OTHER, combine_licences
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.encoder import Base
from finsent.recipe.file import load_recipe
from finsent.recipe.new.commented import dump_commented
from finsent.recipe.new.defaults import (
    SPARE,
    USUAL_BOUND,
    Choice,
    choose_budget,
    choose_shares,
    choose_text,
    choose_training,
)
from finsent.recipe.new.labels import LabelValue
from finsent.recipe.new.place import Place
from finsent.recipe.new.questions import Answers
from finsent.recipe.new.words import FILL_IN, Subject, capital, write_words
from finsent.recipe.recipe import Recipe

QUICKSTART = REPOSITORY / "recipes" / "quickstart.yaml"


@dataclass(frozen=True)
class Seen:
    """What the data say of themselves. 99 of 100 texts have no more `characters` and `tokens` than these.

    `sample` are texts of all labels, `unknown` is the share of words that the encoder does not know.
    """

    place: Place
    layout: Layout
    columns: Columns
    labels: list[LabelValue]
    language: str
    language_reason: str
    texts: dict[str, list[str]]
    sample: list[str]
    characters: int
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


@dataclass(frozen=True)
class Choices:
    """The numbers of a recipe, by section; `bound` is the longest text in characters."""

    validation: float
    test: float
    bound: int
    text: dict[str, Choice]
    training: dict[str, Choice]
    budget: dict[str, Choice]

    def comments(self) -> dict[str, str]:
        """Return the reasons by the path of their keys."""
        sections = {
            "text": self.text, "training": self.training, "export.variants.1.budget": self.budget
        }  # fmt: skip
        return {
            f"{section}.{name}": f"{capital(choice.reason)}."
            for section, choices in sections.items()
            for name, choice in choices.items()
            if choice.reason
        }


def choose(seen: Seen) -> Choices:
    """Return the numbers by how many rows there are and how long they are."""
    validation, test = choose_shares(seen.rows)
    counts = [len(texts) for texts in seen.texts.values()]
    drawn = validation * seen.place.lacks("validation") + test * seen.place.lacks("test")
    text = choose_text(seen.sample, seen.characters)
    return Choices(
        validation,
        test,
        int(text["max_characters"].value) if "max_characters" in text else USUAL_BOUND,
        text,
        choose_training(round(seen.rows * (1 - drawn)), min(counts), max(counts), seen.tokens),
        choose_budget(round(seen.rows * test)),
    )


def write_recipe(seen: Seen, said: Answers) -> str:
    """Return the recipe with a comment at every key that was guessed or that a person should fill in."""
    base, chosen = quickstart().base, choose(seen)
    data_licence = said.licence or seen.place.licence or OTHER
    source, comments = _source(seen, data_licence, bool(said.show_texts))
    licence = combine_licences({"data": data_licence, "base": base.licence}, "apache-2.0").id
    words = write_words(_subject(seen, licence, chosen.bound), said)
    variants = [{"name": FP32.name}, {"name": QUANTIZED.name, "budget": _values(chosen.budget)}]
    tree: dict[str, Any] = {
        "name": seen.name,
        "version": "0.1.0",
        "seed": 7,
        "labels": seen.names,
        "data": {"sources": [source], "validation": chosen.validation, "test": chosen.test},
        "text": _values(chosen.text),
        "base": _base(base, chosen.bound),
        "training": _values(chosen.training),
        "export": {"variants": variants},
        "card": words.card,
        "hub": words.hub,
    }
    if not chosen.text:
        del tree["text"]
    comments |= chosen.comments() | words.comments | _base_comment(seen)
    return _heading(seen) + dump_commented(tree, comments)


def _subject(seen: Seen, licence: str, bound: int) -> Subject:
    return Subject(seen.name, seen.names, seen.language, seen.language_reason, licence, bound, seen.texts)


def _base(base: Base, bound: int) -> dict[str, Any]:
    """Return the encoder, with positions for the longest text; a letter is at most a token of it."""
    tree = base.model_dump(mode="json", exclude_unset=True)
    return tree | ({"positions": bound + SPARE} if bound > USUAL_BOUND else {})


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
    if licence == OTHER:
        told = "the licence of the data, by its id on the Hub; also set card.licence"
        comments[f"{at}.licence"] = f"{FILL_IN}: {told}."
    comments[f"{at}.show_texts"] = "Whether the card and the demo may show rows of the data."
    if few := [one for one in seen.labels if one.name is None]:
        told = ", ".join(f"{one.value} has {one.rows}" for one in few)
        comments[f"{at}.labels"] = (
            f"null leaves rows out; these labels have too few rows to learn from: {told}."
        )
    return source, comments


def _values(choices: dict[str, Choice]) -> dict[str, Any]:
    return {name: choice.value for name, choice in choices.items()}


def _base_comment(seen: Seen) -> dict[str, str]:
    if seen.unknown < 0.01:
        return {}
    told = (
        f"{seen.unknown:.0%} of the words are unknown to this encoder; another encoder may read them better."
    )
    return {"base": f"{FILL_IN}: {told}"}


def _heading(seen: Seen) -> str:
    return (
        f"# Written by python -m finsent.recipe.new from {seen.rows:,} rows. It works as it is:\n"
        f"#   python train.py {_beside(seen.place.recipe)}\n"
        f"# Every guess has its reason. {FILL_IN} marks placeholders for what only you can know.\n"
    )


def _beside(recipe: Path) -> str:
    """Return a path without this machine in it: as it is typed here, or the name alone."""
    path = recipe.absolute()
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name
