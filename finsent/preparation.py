"""The rows of a recipe as its model will see them: sources and encoder brought together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from finsent.cli import say
from finsent.data.inspection import Inspection, inspect_splits
from finsent.data.splits import Splits, load_splits
from finsent.data.transfer import Transfer, draw_transfer
from finsent.data.unlabelled import load_unlabelled
from finsent.data.unseen import find_near
from finsent.encoder.reading import read_base
from finsent.errors import DataError
from finsent.recipe.recipe import Recipe


def prepare_splits(recipe: Recipe, mirror: Path | None) -> Splits:
    """Return the splits of a recipe; copies conflict where the recipe's base sees no difference between them.

    The base is looked for only when there are such copies. Raises DataError and BaseModelError.
    """

    def identify(texts: Sequence[str]) -> Sequence[Hashable]:
        return read_base(recipe, mirror).identify(texts) if texts else []

    return load_splits(recipe, mirror, identify)


def prepare_teacher_splits(teacher: Recipe, student: Recipe, splits: Splits, mirror: Path | None) -> Splits:
    """Return what a teacher is made from: its student's splits, or its own where it has other rows.

    Raises DataError if a training row of the teacher is nearly a validation or test row of the student.
    """
    if teacher.data.with_same_rows(student.data):
        return splits
    own = prepare_splits(teacher, mirror)
    held_out = [row.text for row in (*splits.validation, *splits.test)]
    texts = [row.text for row in own.train]
    if near := find_near(texts, held_out, student.data.near_duplicates):
        raise DataError(
            f"{teacher.name}: {len(near):,} of its training rows are nearly the same as validation or test "
            f"rows of {student.name}, such as {texts[near[0]][:80]!r}; a teacher may have more sources than "
            "its student, but none of those rows: give both the same files for these splits, or the same data"
        )
    return own


def prepare_transfer(recipe: Recipe, splits: Splits, mirror: Path | None) -> Transfer | None:
    """Return the texts of `data.unlabelled` that a student learns from its teachers' answers; mostly None.

    They are drawn by the recipe's seed. None is a copy of a row or of another text, and none is nearly the
    same as a validation or test row. Raises DataError if a source cannot be read.
    """
    if (found := select_transfer(recipe, splits, mirror)) is None:
        return None
    say(
        f"  texts without labels: {len(found.texts):,} to learn from, {found.repeated:,} copies left out, "
        f"{found.near:,} near to validation or test rows left out"
    )
    return found


def select_transfer(recipe: Recipe, splits: Splits, mirror: Path | None) -> Transfer | None:
    """Return what `prepare_transfer` returns, and tell nothing."""
    if recipe.distillation is None or not recipe.distillation.transfer:
        return None
    texts = (text for _, found in load_unlabelled(recipe, mirror) for text in found.texts)
    count = recipe.distillation.transfer
    return draw_transfer(texts, splits, count, recipe.data.near_duplicates, recipe.seed)


def inspect_rows(recipe: Recipe, splits: Splits, mirror: Path | None) -> Inspection:
    """Return what is worth knowing of the rows before a training, read as the recipe's base does."""
    return inspect_splits(recipe, splits, read_base(recipe, mirror).measure)
