"""Written answers: what a teacher said about texts, kept in a folder, so that a student needs no teacher.

`train.py RECIPE --write-answers` writes `<teacher>.csv`, which has the first 16 digits of a text's sha256 and
its logits in every line, and `<teacher>.json`, which says what wrote them. A recipe names their folder in
`distillation.answers`. The answers hold only for the validation and test rows that were there when they were
written: that the teacher did not learn these was checked then, and cannot be checked where it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas
from pydantic import ValidationError

from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.licences import recipe_licence
from finsent.recipe.places import find_folders
from finsent.recipe.recipe import Recipe
from finsent.recipe.section import Section
from finsent.release import WEIGHTS, sha256
from finsent.scoring import Floats

KEY, DECIMALS = "text", 3
HELD_OUT = ("validation", "test")


class Answers(Section):
    """What is told beside the answers of one teacher; the sha256 of what decides whether they hold."""

    teacher: str
    recipe: str
    weights: str
    licence: str
    labels: list[str]
    held_out: dict[str, str]
    texts: int


def write_answers(
    student: Recipe, teacher: Recipe, release: Path, splits: Splits, answers: dict[str, Floats]
) -> Path:
    """Write a teacher's logits `(n_labels,)` by text to where the student's recipe says; return the table."""
    table = _table(student, teacher)
    table.parent.mkdir(parents=True, exist_ok=True)
    found = {_key(text): logits for text, logits in answers.items()}
    rows = [[key, *(f"{value:.{DECIMALS}f}" for value in found[key])] for key in sorted(found)]
    pandas.DataFrame(rows, columns=[KEY, *teacher.labels]).to_csv(table, index=False, lineterminator="\n")
    told = Answers(
        teacher=teacher.name,
        recipe=teacher.making_fingerprint(),
        weights=sha256(release / WEIGHTS),
        licence=recipe_licence(teacher).id,
        labels=teacher.labels,
        held_out=_held_out(splits),
        texts=len(rows),
    )
    table.with_suffix(".json").write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return table


def find_answers(student: Recipe, teacher: Recipe, splits: Splits) -> Path:
    """Return the table of a teacher's answers; FinsentError if it is not there or holds for other rows."""
    table = _table(student, teacher)
    again = f"write them with train.py --write-answers, or take answers out of distillation in {student.name}"
    try:
        told = Answers.model_validate_json(table.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise FinsentError(
            f"{table}: {teacher.name} has no answers there that can be read; {again}"
        ) from error
    if told.recipe != teacher.making_fingerprint():
        raise FinsentError(f"{table}: written by another recipe than {teacher.name} is today; {again}")
    if told.held_out != _held_out(splits):
        raise FinsentError(
            f"{table}: written for other validation and test rows, which the teacher may have learnt; {again}"
        )
    return table


def read_answers(table: Path, texts: Sequence[str], labels: Sequence[str]) -> Floats:
    """Return logits `(n, n_labels)`, NaN for texts that have none; FinsentError if it is no such table."""
    try:
        found = pandas.read_csv(table, dtype={KEY: str}).set_index(KEY)[list(labels)].astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise FinsentError(
            f"{table}: no table of answers with the columns {[KEY, *labels]}: {error}"
        ) from error
    logits: Floats = found.reindex([_key(text) for text in texts]).to_numpy()
    return logits


def _table(student: Recipe, teacher: Recipe) -> Path:
    assert student.distillation is not None and student.distillation.answers is not None
    return find_folders(student.distillation.answers, student.home)[0] / f"{teacher.name}.csv"


def _held_out(splits: Splits) -> dict[str, str]:
    return {split: splits.report.fingerprints[split] for split in HELD_OUT}


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
