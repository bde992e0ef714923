"""Written answers: what a teacher said about texts, kept in a folder, so that a student needs no teacher.

`train.py RECIPE --write-answers` writes `<teacher>.csv`, which has the first 16 digits of a text's sha256 and
its logits in every line, and `<teacher>.json`, which says what wrote them. A recipe names their folder in
`distillation.answers`. The answers hold only for the validation and test rows that were there when they were
written: that the teacher did not learn these was checked then, and cannot be checked where it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock
from pydantic import ValidationError

from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.licences import recipe_licence
from finsent.recipe.places import find_folders
from finsent.recipe.recipe import Recipe
from finsent.recipe.section import Section
from finsent.release import WEIGHTS, sha256
from finsent.scoring import Floats

KEY, DIGITS, DECIMALS = "sha256", 16, 3
HELD_OUT = ("validation", "test")
LOCK = "written-answers.lock"  # in the run of the teacher; its answers lie where git looks


class Answers(Section):
    """What is told beside the answers of one teacher: the sha256 of all that decides whether they hold."""

    teacher: str
    recipe: str
    weights: str
    licence: str
    labels: list[str]
    held_out: dict[str, str]
    table: str


def write_answers(
    student: Recipe, teacher: Recipe, release: Path, splits: Splits, answers: dict[str, Floats]
) -> Path:
    """Write a teacher's logits `(n_labels,)` by text to where the student's recipe says; return the table.

    What the same weights answered before is kept, for other students whose held-out rows are the same. Two
    that write at the same time wait for each other, and a process that is killed loses nothing.
    """
    table = answers_folder(student) / f"{teacher.name}.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    weights, held_out = sha256(release / WEIGHTS), _held_out(splits)
    with FileLock(release.parent / LOCK):
        lines = _read_lines(table) if _has_answers_of(table, weights, held_out) else {}
        for text, logits in answers.items():
            lines[_key(text)] = ",".join(f"{value:.{DECIMALS}f}" for value in logits)
        content = "".join(f"{key},{lines[key]}\n" for key in sorted(lines))
        partial = _write_partial(table, ",".join([KEY, *teacher.labels]) + f"\n{content}")
        told = Answers(
            teacher=teacher.name,
            recipe=teacher.making_fingerprint(),
            weights=weights,
            licence=recipe_licence(teacher).id,
            labels=teacher.labels,
            held_out=held_out,
            table=sha256(partial),
        )
        about = table.with_suffix(".json")
        _write_partial(about, told.model_dump_json(indent=2) + "\n").replace(about)
        _settle(table, told)
    return table


def answers_folder(student: Recipe) -> Path:
    """Return the folder of `distillation.answers`: where it is, or else beside the recipe."""
    assert student.distillation is not None and student.distillation.answers is not None
    return find_folders(student.distillation.answers, student.home)[0]


def find_answers(student: Recipe, teacher: Recipe, splits: Splits) -> Path:
    """Return the table of a teacher's answers; FinsentError if it is not there, damaged or of other rows."""
    table = answers_folder(student) / f"{teacher.name}.csv"
    again = f"write them with train.py --write-answers, or take answers out of distillation in {student.name}"
    try:
        told, now = _read_told(table), sha256(table)
    except (OSError, ValidationError) as error:
        raise FinsentError(
            f"{table}: {teacher.name} has no answers there that can be read; {again}"
        ) from error
    if told.table != now:
        raise FinsentError(f"{table}: is not what was written; {again}")
    if (told.recipe, told.labels) != (teacher.making_fingerprint(), teacher.labels):
        raise FinsentError(f"{table}: written by another recipe than {teacher.name} is today; {again}")
    if told.held_out != _held_out(splits):
        raise FinsentError(
            f"{table}: written for other validation and test rows, which the teacher may have learnt; {again}"
        )
    return table


def read_answers(table: Path, texts: Sequence[str]) -> Floats:
    """Return logits `(n, n_labels)` of a table that was found, NaN for texts that have none."""
    lines = _read_lines(table)
    labels = _read_told(table).labels
    unknown = ",".join(["nan"] * len(labels))
    rows = [lines.get(_key(text), unknown).split(",") for text in texts]
    return np.array(rows, dtype=float).reshape(-1, len(labels))


def digest_answers(teachers: Sequence[Path]) -> str:
    """Return the sha256 of each table among teachers, joined: a training depends on these, too."""
    return "".join(sha256(teacher) for teacher in teachers if teacher.is_file())


def _has_answers_of(table: Path, weights: str, held_out: dict[str, str]) -> bool:
    try:
        told = _read_told(table)
        return (told.weights, told.held_out, told.table) == (weights, held_out, sha256(table))
    except (OSError, ValidationError):
        return False


def _read_told(table: Path) -> Answers:
    told = Answers.model_validate_json(table.with_suffix(".json").read_text(encoding="utf-8"))
    _settle(table, told)
    return told


def _settle(table: Path, told: Answers) -> None:
    """Put a new table in its place once the file beside it tells of it; a killed process may not have."""
    partial = _partial(table)
    with suppress(FileNotFoundError):  # there is none, or another process did it
        if sha256(partial) == told.table:
            partial.replace(table)


def _read_lines(table: Path) -> dict[str, str]:
    """Return what stands after each key."""
    _, *lines = table.read_text(encoding="utf-8").splitlines()
    return {line[:DIGITS]: line[DIGITS + 1 :] for line in lines}


def _write_partial(file: Path, content: str) -> Path:
    partial = _partial(file)
    partial.write_text(content, encoding="utf-8", newline="\n")
    return partial


def _partial(file: Path) -> Path:
    return file.with_name(f"{file.name}.partial")


def _held_out(splits: Splits) -> dict[str, str]:
    return {split: splits.report.fingerprints[split] for split in HELD_OUT}


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
