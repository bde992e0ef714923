"""What every training of a search shares: the recipe that it starts from, its rows, its teachers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.optional_packages import check_packages
from finsent.preparation import prepare_splits, prepare_teacher_splits, prepare_transfer
from finsent.pretraining.protection import check_protected
from finsent.pretraining.start import ensure_encoder
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.recipe.search import Search
from finsent.release import Run
from finsent.training.answers import digest_answers, find_answers
from model_card.reuse import was_made_from
from tuning.space import Settings, check_space, default_space, nest

COUNTS = {"trials", "finalists", "seeds"}  # may change between two runs of the same search


@dataclass(frozen=True)
class Setup:
    """One search, ready to run; `recipe` is the one that it starts from."""

    search: Search
    recipe: Recipe
    splits: Splits
    teachers: list[Path]
    mirror: Path | None
    transferred: str = ""  # the sha256 of texts that teachers alone label

    @property
    def seeds(self) -> list[int]:
        """The training seeds of the finals; no trial was trained with any of them."""
        return [(self.recipe.training_seed + 1 + at) % 2**32 for at in range(self.search.seeds)]

    def recipe_with(self, settings: Settings, seed: int | None = None) -> Recipe:
        """Return the recipe with other settings; RecipeError if they do not go together."""
        recipe = load_recipe(self.search.recipe_file, self.recipe.runs, nest(settings))
        return recipe if seed is None else recipe.with_seed(seed)

    def check_unchanged(self) -> None:
        """Raise FinsentError if the recipe's file was changed since the search read it.

        Every trial reads it anew, and trials of different recipes cannot be compared.
        """
        path = self.search.recipe_file
        if load_recipe(path, self.recipe.runs).making_fingerprint() != self.recipe.making_fingerprint():
            raise FinsentError(
                f"{path.name} was changed during the search; undo the change and run the same command again, "
                "or give the search another name"
            )

    def made_from(self, recipe: Recipe) -> str:
        """Return what decides the weights of a recipe beside the labelled rows."""
        return recipe.making_fingerprint() + digest_answers(self.teachers) + self.transferred

    def owner(self) -> str:
        """Return the sha256 of what makes trials comparable: recipe, rows, space, and how it is searched."""
        told: dict[str, Any] = self.search.model_dump(mode="json", by_alias=True, exclude=COUNTS)
        told["recipe"] = self.made_from(self.recipe)
        told["rows"] = [self.splits.report.fingerprints[split] for split in ("train", "validation")]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def read_recipe(search: Search, runs: Path) -> tuple[Search, Recipe]:
    """Return a search with its space, and the recipe that it starts from; FinsentError if one is wrong."""
    recipe = load_recipe(search.recipe_file, runs)
    check_name(search, recipe)
    search = search.model_copy(update={"space": search.space or default_space(recipe)})
    check_packages(recipe)
    check_space(search, recipe)
    return search, recipe


def check_name(search: Search, recipe: Recipe) -> None:
    """Raise FinsentError if something else already has the search's folder in runs/, or will have it."""
    others = {recipe.name: "the recipe", tuned_name(recipe): "the best recipe that it writes"}
    others |= {teacher.name: "a teacher" for teacher in recipe.teachers}
    others |= {encoder.name: "an encoder" for encoder in recipe.encoders}
    if whose := others.get(search.name):
        raise FinsentError(
            f"name: {search.name!r} is the name of {whose}, too, and each has a folder in runs/; choose "
            f"another one, such as {recipe.name}-search"
        )


def tuned_name(recipe: Recipe) -> str:
    """Return what the best recipe of a search is called."""
    return f"{recipe.name}-tuned"


def prepare_setup(search: Search, recipe: Recipe, mirror: Path | None) -> Setup:
    """Read the rows, and have the encoder made where it is not there; FinsentError if a teacher is not."""
    for encoder in recipe.encoders:
        ensure_encoder(encoder, recipe.runs, mirror, resume=True)
    splits = prepare_splits(recipe, mirror)
    check_protected(recipe, splits)
    teachers = [find_teacher(teacher, recipe, splits, mirror) for teacher in recipe.teachers]
    transfer = prepare_transfer(recipe, splits, mirror)
    return Setup(search, recipe, splits, teachers, mirror, transfer.digest() if transfer else "")


def find_teacher(teacher: Recipe, student: Recipe, splits: Splits, mirror: Path | None) -> Path:
    """Return a teacher's release, or its written answers where the student has them; errors as below."""
    if student.has_written_answers:
        return find_answers(student, teacher, splits)
    return find_teacher_release(teacher, student, splits, mirror)


def find_teacher_release(teacher: Recipe, student: Recipe, splits: Splits, mirror: Path | None) -> Path:
    """Return the release of a teacher; FinsentError if it is not there, or made from other texts."""
    release = Run(student.runs / teacher.name).release
    if not was_made_from(release, teacher, prepare_teacher_splits(teacher, student, splits, mirror), mirror):
        how = " --write-answers" if student.has_written_answers else ""  # which builds teachers in any case
        raise FinsentError(
            f"{release}: this teacher is not there, or was made from another recipe or other texts; "
            f"build {student.name} with train.py{how} first"
        )
    return release
