"""Compare ways to teach a student: labels alone, a teacher's soft labels, and additions to these.

python -m benchmarks.distillation recipes/finsent-tiny.yaml                  write benchmarks/distillation.md
python -m benchmarks.distillation RECIPE --rows 1500 --epochs 2 --seeds 2    a short version

The recipe's student is trained in each way with the same seeds, rows and number of steps. The students are
compared on the validation rows as they are after the last step, so these rows do not choose a checkpoint.
Test rows are not looked at. The teachers must be in runs/, where train.py leaves them. Students that were
trained before are not trained again.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import shutil
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

import numpy as np
import typer
from pydantic import BaseModel, ValidationError

from benchmarks.machine import tell_machine
from benchmarks.state_matching import matched_states
from finsent import options
from finsent.claim import claimed
from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors, say, stage
from finsent.data.rows import Row
from finsent.data.splits import Splits, fingerprint, fingerprint_in_order
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError, FinsentError, RecipeError, first_line
from finsent.mirror import mirror_from_environment
from finsent.optional_packages import check_packages
from finsent.preparation import prepare_splits
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Distillation, Recipe
from finsent.release import RUNS, WEIGHTS, sha256
from finsent.scoring import Ints, bootstrap_mean
from finsent.training.fit import fit
from finsent.training.precision import use_bf16
from finsent.training.prediction import predict_logits
from finsent.training.targets import asked_texts
from finsent.training.teachers import ask_teachers
from tuning.finals import RESAMPLES, compare
from tuning.setup import find_teacher_release

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("distillation.md")
BATCH = 64
KEPT = ("teachers", "seeds", "weight", "temperature")  # of the recipe's distillation, in every way
COPIES = 2  # of each text, where the recipe makes none
PROTOCOL = """Scores are those of PyTorch after the last step. Nothing was chosen for
a student by these rows, but the teachers' best checkpoints were, which flatters the last line a little.
Intervals are from a bootstrap over rows, paired for the differences. Better and worse are the rows that a way
has right with more, or fewer, of the seeds than labels alone; p is that of McNemar's exact test."""
STATES = 1.0  # weight of 1 - cosine beside the cross-entropy


@dataclass(frozen=True)
class Way:
    """How a student is taught: `plan` is what its distillation says beyond KEPT, None where there is none.

    `states` is the weight of matching the teacher's hidden states.
    """

    name: str
    plan: dict[str, Any] | None = field(default_factory=dict)
    states: float = 0.0


class Fitted(BaseModel):
    """One training: how many steps it took, and the classes that it gives the validation rows."""

    steps: int
    answers: list[int]


@dataclass(frozen=True)
class Task:
    """What all ways share."""

    recipe: Recipe
    splits: Splits
    teachers: list[Path]
    seeds: list[int]
    mirror: Path | None

    @property
    def texts(self) -> list[str]:
        """The training texts."""
        return [row.text for row in self.splits.train]


def list_ways(recipe: Recipe) -> list[Way]:
    """Return the ways, labels alone first; FinsentError if the recipe has no teacher."""
    if recipe.distillation is None:
        raise FinsentError(f"{recipe.name} has no teacher; name one in distillation.teachers")
    copies, opposites = recipe.distillation.augmentations or COPIES, recipe.distillation.opposites
    ways = [
        Way("labels alone", None),
        Way("soft labels"),
        Way(f"soft labels, {copies} variants of each text", {"augmentations": copies}),
        Way("soft labels, from the teacher's weights", {"initialize_from": "teacher"}),
        Way("soft labels, matching the teacher's states", states=STATES),
    ]
    if splices := recipe.distillation.splices:
        ways.append(Way(f"soft labels, {splices} splices of each text", {"splices": splices}))
    return [*ways, Way("soft labels, opposites", {"opposites": opposites})] if opposites else ways


def taught_by(way: Way, recipe: Recipe, rows: list[Row], seed: int) -> Recipe:
    """Return the recipe of a way: as many steps as with labels alone, and one validation, after the last.

    Raises RecipeError if the way does not go with this recipe.
    """
    plan = None
    if way.plan is not None and recipe.distillation is not None:
        kept = {key: getattr(recipe.distillation, key) for key in KEPT}
        plan = Distillation(**kept | way.plan)
    once = recipe.training.model_copy(update={"evaluations": 1, "seed": seed})
    changed = recipe.model_copy(update={"training": once, "distillation": plan})
    added = len(asked_texts(changed, rows)) if plan else 0
    batches = [math.ceil(count / once.batch_size) for count in (len(rows), len(rows) + added)]
    steps = math.ceil(batches[0] * once.epochs)
    epochs = (steps - 0.5) / batches[1]  # half a step less, as what is not whole is rounded up
    changed = changed.model_copy(update={"training": once.model_copy(update={"epochs": epochs})})
    try:
        Recipe.model_validate(changed.model_dump())
    except ValidationError as error:
        raise RecipeError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    return changed


def run_way(way: Way, task: Task, folder: Path) -> list[Fitted]:
    """Fit a way with every seed, or read what that gave before; errors as of taught_by and load_base."""
    found = []
    for seed in task.seeds:
        recipe = taught_by(way, task.recipe, task.splits.train, seed)
        file = folder / f"{digest(way, recipe, task)}.json"
        if not file.is_file():
            stage(f"{way.name}, seed {seed}")
            fitted = fit_way(way, recipe, task, file.with_suffix(""))
            partial = file.with_suffix(".partial")
            partial.write_text(fitted.model_dump_json(), encoding="utf-8")
            partial.replace(file)
        found.append(Fitted.model_validate_json(file.read_bytes()))
    return found


def digest(way: Way, recipe: Recipe, task: Task) -> str:
    """Return what decides the outcome, short: recipe, rows, teachers."""
    rows = [fingerprint(task.splits.train), fingerprint_in_order(task.splits.validation)]
    weights = [sha256(teacher / WEIGHTS) for teacher in task.teachers]
    told = "".join([recipe.making_fingerprint(), str(way.states), *rows, *weights])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def fit_way(way: Way, recipe: Recipe, task: Task, checkpoints: Path) -> Fitted:
    """Fit the student once."""
    plan, first = recipe.distillation, task.teachers[0]
    start = first if plan and plan.initialize_from == "teacher" else None
    base = load_base(recipe, task.texts, task.mirror, start)
    matching = matched_states(base, first, task.texts, recipe.training, way.states)
    with matching if way.states else nullcontext():
        report = fit(recipe, task.splits, base, checkpoints, resume=True, teachers=task.teachers)
    shutil.rmtree(checkpoints, ignore_errors=True)
    texts = [row.text for row in task.splits.validation]
    answers = predict_logits(base.model, base.tokenizer(), texts, BATCH).argmax(axis=1)
    return Fitted(steps=report.steps, answers=answers.tolist())


def ask_all(task: Task) -> Ints:
    """Return what the teachers together answer to the validation rows, `(1, rows)`."""
    texts, plan = [row.text for row in task.splits.validation], task.recipe.distillation
    temperature = plan.temperature if plan else 1.0
    bf16 = use_bf16(task.recipe.training.bf16)
    taught = ask_teachers(task.teachers, texts, task.recipe.labels, temperature, bf16)
    return np.array([taught.argmax(axis=1)])


def run_ways(task: Task, folder: Path) -> tuple[dict[str, list[Fitted]], list[str]]:
    """Run all ways that go with the recipe, and say of the others why they do not."""
    found, left_out = {}, []
    for way in list_ways(task.recipe):
        try:
            found[way.name] = run_way(way, task, folder)
        except (BaseModelError, RecipeError) as error:
            if way.plan is None:  # the student itself cannot be fitted
                raise
            left_out.append(f"{way.name}: {first_line(error)}")
            say(f"  left out: {left_out[-1]}")
    return found, left_out


def render(task: Task, found: dict[str, list[Fitted]], left_out: list[str], taught: Ints) -> str:
    """Return the page; `taught` is what the teachers answer."""
    names = task.recipe.labels
    labels = np.array([names.index(row.label) for row in task.splits.validation])
    answers = {way: np.array([one.answers for one in runs]) for way, runs in found.items()}
    start = next(iter(answers.values()))
    steps = sorted({one.steps for runs in found.values() for one in runs})
    lines = [
        "# Ways to teach a student",
        "",
        f"Generated by `python -m benchmarks.distillation`: the student of `{task.recipe.name}`, taught by "
        f"{', '.join(teacher.name for teacher in task.recipe.teachers)}.",
        f"Each way has {len(task.splits.train):,} training rows and {' or '.join(map(str, steps))} steps of "
        f"{task.recipe.training.batch_size}; number of training seeds: {len(task.seeds)}.",
        f"{len(labels):,} validation rows. {PROTOCOL}",
        "",
        "| way | accuracy (95 % interval) | macro F1 | against labels alone, points | better : worse (p) |",
        "| --- | --- | --- | --- | --- |",
        *(tell_way(way, one, start, labels, len(names)) for way, one in answers.items()),
        tell_way("the teachers themselves", taught, start, labels, len(names)),
        "",
        *(f"- Left out: {one}." for one in left_out),
        f"- Measured on {datetime.now(UTC):%Y-%m-%d}.",
        *tell_machine(),
    ]
    return "\n".join(lines) + "\n"


def tell_way(name: str, answers: Ints, start: Ints, labels: Ints, n_labels: int) -> str:
    """Return a row of the table; `answers` and those of labels alone are `(seeds, rows)`."""
    one = compare(answers, start, labels, n_labels, seed=0)
    bounds = bootstrap_mean((answers == labels).mean(axis=0), RESAMPLES, seed=0)
    cells = f"| {name} | {one.accuracy:.3f} ({bounds.low:.3f} to {bounds.high:.3f}) | {one.macro_f1:.3f} |"
    if answers is start:
        return f"{cells} | |"
    gain = one.gain_interval
    return (
        f"{cells} {100 * one.gain:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}) "
        f"| {one.better} : {one.worse} ({one.p:.2g}) |"
    )


def prepare(recipe: Recipe, rows: int | None, epochs: float | None, seeds: int) -> Task:
    """Read rows and find teachers; `rows` draws some of the training rows, by the recipe's seed."""
    check_packages(recipe)
    list_ways(recipe)
    mirror = mirror_from_environment()
    splits = prepare_splits(recipe, mirror)
    teachers = [find_teacher_release(teacher, recipe, splits, mirror) for teacher in recipe.teachers]
    if rows is not None and rows < len(splits.train):
        splits = replace(splits, train=random.Random(recipe.seed).sample(splits.train, rows))
    if epochs is not None:
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": epochs})})
    own = [(recipe.training_seed + at) % 2**32 for at in range(seeds)]
    return Task(recipe, splits, teachers, own, mirror)


@app.command(help=app.info.help)
def main(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="a recipe with teachers")],
    rows: Annotated[int | None, typer.Option(min=2, help="training rows to draw; default: all")] = None,
    epochs: Annotated[
        float | None, typer.Option(min=0.01, max=100, help="epochs, instead of the recipe's")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="training seeds of each way")] = 1,
    runs: options.Runs = RUNS,
    page: Annotated[Path, typer.Option(help="file to write the table to")] = OUTPUT,
) -> None:
    """Run the ways that are not fitted yet and write the page."""
    quiet_libraries()
    with reporting_errors("run the same command again to continue"):
        recipe = load_recipe(recipe_file, runs)
        folder = runs / "distillation" / recipe.name
        with claimed(folder, again="run the same command again"):
            task = prepare(recipe, rows, epochs, seeds)
            text = render(task, *run_ways(task, folder), ask_all(task))
        page.write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    print_anywhere()
    app()
