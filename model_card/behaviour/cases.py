"""The cases of the suites: general ones on the test rows of a release, and those that its recipe names.

recipes/suites/README.md says which files such a folder may hold.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finsent.data.rows import Row
from finsent.errors import RecipeError
from finsent.recipe.places import find_folders
from finsent.recipe.recipe import Recipe
from model_card.behaviour.changes import CHANGES

GENERAL_ROWS = 100  # held-out texts that are changed
Table = list[dict[str, str]]


@dataclass(frozen=True)
class Case:
    """Texts and the labels that they should get; without labels, all should get the same one."""

    texts: tuple[str, ...]
    expected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """Cases of one kind; `measures` says what its rate is the share of."""

    name: str
    measures: str
    cases: tuple[Case, ...]

    @property
    def labels(self) -> set[str]:
        """The labels that a classifier must know."""
        return {label for case in self.cases for label in case.expected}


def read_suites(recipe: Recipe, held_out: Sequence[Row]) -> list[Suite]:
    """Return the general suites and those that the recipe names; a suite without a case is left out.

    Raises RecipeError: a folder is missing or holds no suite, or expects a label that the recipe lacks.
    """
    suites = list(read_general(held_out))
    for name in recipe.evaluation.suites:
        found = list(read_folder(find_folders(name, recipe.home)[0], held_out))
        if unknown := sorted(set().union(*(suite.labels for suite in found)) - set(recipe.labels)):
            raise RecipeError(
                f"evaluation.suites: {name}: unknown label {unknown[0]!r}, allowed: {recipe.labels}"
            )
        suites += found
    return [suite for suite in suites if suite.cases]


def read_general(held_out: Sequence[Row]) -> Iterator[Suite]:
    """Yield a suite a change that must not matter in any language: a held-out text keeps its label."""
    texts = list(dict.fromkeys(row.text for row in held_out))
    count = min(GENERAL_ROWS, len(texts))
    chosen = [texts[position * len(texts) // count] for position in range(count)]
    for name, change in CHANGES.items():
        pairs = [(text, other) for text in chosen for other in change(text)]
        yield Suite(f"invariance/{name}", "changed test rows whose label stays", tuple(map(Case, pairs)))


def read_folder(folder: Path, held_out: Sequence[Row]) -> Iterator[Suite]:
    """Yield the suites of a folder. RecipeError if it holds none of the files."""
    found = [(folder / name, read) for name, read in READERS.items() if (folder / name).is_file()]
    if not found:
        raise RecipeError(
            f"evaluation.suites: {folder}: has none of {', '.join(READERS)}; "
            "recipes/suites/README.md has their columns"
        )
    for path, read in found:
        with path.open(encoding="utf-8", newline="") as file:
            yield from read(list(csv.DictReader(file)), held_out)


def _read_invariances(table: Table, _: Sequence[Row]) -> Iterator[Suite]:
    """Yield a suite a column: a sentence keeps the label that it has with something else in its place."""
    for name in table[0]:
        if name not in ("text", "label"):
            pairs = [(row["text"], other) for row in table for other in _replace(row["text"], row[name])]
            yield Suite(f"invariance/{name}", "changed sentences whose label stays", tuple(map(Case, pairs)))


def _replace(text: str, change: str) -> Iterator[str]:
    """Yield a text with `old=new|other` done to it; without `old`, what is new comes behind it."""
    old, _, new = change.partition("=")
    for other in new.split("|") if change else ():
        yield text.replace(old, other) if old else text + other


def _read_kinds(table: Table, held_out: Sequence[Row]) -> Iterator[Suite]:
    """Yield a suite a kind of held-out rows, which their group `<kind>-<key>` marks."""
    for kind in table:
        marked = [row for row in held_out if row.group.partition("-")[0] == kind["kind"]]
        if kind["case"] == "group":
            groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
            for row in marked:
                groups[row.source, row.group].append(row)
            yield Suite(kind["suite"], "pairs with both labels right", tuple(map(_as_case, groups.values())))
        else:
            yield Suite(kind["suite"], "texts with the right label", tuple(_as_case([row]) for row in marked))


def _read_functions(table: Table, _: Sequence[Row]) -> Iterator[Suite]:
    """Yield a suite a function: short sentences over which no two readers would differ."""
    functions: dict[str, list[Case]] = defaultdict(list)
    for row in table:
        functions[row["function"]].append(Case((row["text"],), (row["label"],)))
    for name, cases in functions.items():
        yield Suite(f"function/{name}", "sentences with the right label", tuple(cases))


def _read_paraphrases(table: Table, _: Sequence[Row]) -> Iterator[Suite]:
    """Yield two suites on the wordings of one fact: the same label for all, and the right one for all."""
    triples: dict[str, Table] = defaultdict(list)
    for row in table:
        triples[row["triple"]].append(row)
    texts = [tuple(row["text"] for row in rows) for rows in triples.values()]
    labels = [tuple(row["label"] for row in rows) for rows in triples.values()]
    yield Suite("paraphrase/same", "triples with one label for all wordings", tuple(map(Case, texts)))
    yield Suite("paraphrase/right", "triples with all labels right", tuple(map(Case, texts, labels)))


def _as_case(rows: list[Row]) -> Case:
    return Case(tuple(row.text for row in rows), tuple(row.label for row in rows))


READERS: dict[str, Callable[[Table, Sequence[Row]], Iterator[Suite]]] = {
    "invariance.csv": _read_invariances,
    "kinds.csv": _read_kinds,
    "functions.csv": _read_functions,
    "paraphrases.csv": _read_paraphrases,
}
