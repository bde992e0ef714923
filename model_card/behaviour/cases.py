"""The cases of the suites, read from the CSV files beside this module and from a release's test rows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finsent import REPOSITORY
from finsent.data.rows import Row
from model_card.behaviour.changes import CHANGES, Sentence

FOLDER = REPOSITORY / "recipes" / "suites" / "headlines"
INVARIANCE, FUNCTIONS, PARAPHRASES = (
    FOLDER / f"{name}.csv" for name in ("invariance", "functions", "paraphrases")
)
HARD_KINDS = ("negation", "companies", "numeric", "decoy")


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


def read_suites(held_out: Sequence[Row]) -> list[Suite]:
    """Return all suites; those on directions and hard kinds only where `held_out` rows are marked for them.

    A row is marked by its group, `<kind>-<key>`, as in data/headlines.
    """
    return [*read_invariances(), *read_directions(held_out), *read_functions(), *read_paraphrases()]


def read_invariances() -> Iterator[Suite]:
    """Yield a suite a change that must not matter: a sentence keeps the label that it has without."""
    sentences = [
        Sentence(
            row["text"], row["company"], row["ticker"], row["amount"], tuple(row["other_amounts"].split("|"))
        )
        for row in _read(INVARIANCE)
    ]
    for name, change in CHANGES.items():
        pairs = [(sentence.text, other) for sentence in sentences for other in change(sentence)]
        yield Suite(f"invariance/{name}", "changed sentences whose label stays", tuple(map(Case, pairs)))


def read_directions(held_out: Sequence[Row]) -> Iterator[Suite]:
    """Yield a suite on the contrast pairs and one a marked kind of single text, where there are any."""
    pairs: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in held_out:
        if _kind(row) == "contrast":
            pairs[row.source, row.group].append(row)
    if pairs:
        yield Suite(
            "direction/contrast", "pairs with both labels right", tuple(map(_as_case, pairs.values()))
        )
    for kind in HARD_KINDS:
        if cases := [_as_case([row]) for row in held_out if _kind(row) == kind]:
            yield Suite(f"hard/{kind}", "texts with the right label", tuple(cases))


def read_functions() -> Iterator[Suite]:
    """Yield a suite a function: short sentences over which no two readers would differ."""
    functions: dict[str, list[Case]] = defaultdict(list)
    for row in _read(FUNCTIONS):
        functions[row["function"]].append(Case((row["text"],), (row["label"],)))
    for name, cases in functions.items():
        yield Suite(f"function/{name}", "sentences with the right label", tuple(cases))


def read_paraphrases() -> Iterator[Suite]:
    """Yield two suites on three wordings of one fact: the same label for all, and the right one for all."""
    triples: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _read(PARAPHRASES):
        triples[row["triple"]].append(row)
    texts = [tuple(row["text"] for row in rows) for rows in triples.values()]
    labels = [tuple(row["label"] for row in rows) for rows in triples.values()]
    yield Suite("paraphrase/same", "triples with one label for all wordings", tuple(map(Case, texts)))
    yield Suite("paraphrase/right", "triples with all labels right", tuple(map(Case, texts, labels)))


def _kind(row: Row) -> str:
    return row.group.partition("-")[0]


def _as_case(rows: list[Row]) -> Case:
    return Case(tuple(row.text for row in rows), tuple(row.label for row in rows))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
