"""From recipe to release: data, training, export, figures, card.

\b
python train.py                                  into runs/quickstart/release
python train.py recipes/finsent-research.yaml    another recipe
python train.py recipes/x.yaml --resume          go on after an interruption
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # data workers fork after tokenizers started threads
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

import typer
from filelock import FileLock

from export.files import export_files
from finsent.cli import LOCK, claimed, console, print_anywhere, quiet_libraries, reporting_errors, say, stage
from finsent.data.splits import Splits
from finsent.encoder.load import load_base
from finsent.errors import FinsentError, ReleaseError
from finsent.licences import recipe_licence
from finsent.mirror import mirror_from_environment
from finsent.onnx_files import FP32, ONNX_FILES
from finsent.preparation import look_at_rows, prepare_splits
from finsent.recipe.file import dump_recipe, load_recipe, read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import CARD, METRICS, RECIPE, Run, write_threshold
from finsent.training.fit import fit
from model_card.card.build import build_card
from model_card.card.figures import draw_figures
from model_card.lint.card import lint_card
from model_card.measure.cautions import tell_conditions
from model_card.measure.metrics import Metrics, read_metrics, write_metrics
from model_card.measure.release import measure_release
from model_card.measure.variants import GatedVariants, MeasuredVariant, find_dropped, measure_variants
from model_card.measure.weakness import check_strength

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def train(recipe: Recipe, run: Run, resume: bool = False, splits: Splits | None = None) -> Path:
    """Make the release of a recipe and return its folder, or raise and leave what stood there before.

    A teacher is given the splits of its student, so that neither sees test rows of the other.
    """
    mirror = mirror_from_environment()
    licence = recipe_licence(recipe)
    stage(f"data: {', '.join(source.name for source in recipe.data.sources)}")
    splits = splits or prepare_splits(recipe, mirror)
    for line in look_at_rows(recipe, splits, mirror):
        say(line)
    teachers = [make_teacher(teacher, splits, run, resume) for teacher in recipe.teachers]
    start = teachers[0] if recipe.distillation and recipe.distillation.initialize_from == "teacher" else None
    stage(f"base: {recipe.teachers[0].name if start else recipe.base.hub}")
    base = load_base(recipe, [row.text for row in splits.train], mirror, start)
    staging = run.start()
    stage(f"training: {len(splits.train)} rows")
    report = fit(recipe, splits, base, run.checkpoints, resume, teachers)
    base.save(staging)
    stage(f"export: {', '.join(variant.name for variant in recipe.export.variants)}")
    export_files(recipe.export, [row.text for row in splits.train], staging)
    stage(f"measuring: {len(splits.test)} test rows")
    variants = pass_gate(recipe, measure_variants(recipe, splits.test, staging), staging)
    metrics = measure_release(recipe, splits, report, staging, licence.id, variants)
    check_strength(recipe, metrics)
    stage("card")
    write_card(recipe, metrics, staging)
    return run.finish()


def make_teacher(recipe: Recipe, splits: Splits, run: Run, resume: bool) -> Path:
    """Return the release of a teacher, beside that of `run`; made now unless this recipe and rows made it.

    Students that are made at the same time wait for each other here.
    """
    own = Run(run.folder.parent / recipe.name)
    own.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(own.folder / LOCK):
        if not _was_made_from(recipe, splits, own.release):
            stage(f"teacher: {recipe.name}")
            train(recipe, own, resume, splits)
    return own.release


def _was_made_from(recipe: Recipe, splits: Splits, release: Path) -> bool:
    if not (release / RECIPE).is_file():
        return False
    try:
        made_from, metrics = read_released_recipe(release / RECIPE), read_metrics(release / METRICS)
    except FinsentError:  # written by another version of finsent
        return False
    same_rows = metrics.data.fingerprints["train"] == splits.report.fingerprints["train"]
    return same_rows and made_from.making_fingerprint() == recipe.making_fingerprint()


def pass_gate(recipe: Recipe, measured: list[MeasuredVariant], folder: Path) -> GatedVariants:
    """Delete the files that are over their budget and say why; ReleaseError when a required one is.

    fp32 is always required: the others are made from it, and every release holds it.
    """
    dropped = find_dropped(recipe.export, measured)
    for one in dropped:
        console.print(f"not released: {one.name}: {'; '.join(one.reasons)}")
    required = {FP32.name, *(variant.name for variant in recipe.export.variants if variant.required)}
    if failed := [one for one in dropped if one.name in required]:
        told = (f"{one.name} is required and over its budget ({'; '.join(one.reasons)})" for one in failed)
        raise ReleaseError(
            f"{', '.join(told)}; train longer, keep nodes in float, or widen export.variants.budget"
        )
    for one in dropped:
        (folder / ONNX_FILES[one.name].path).unlink()
    names = {one.name for one in dropped}
    return GatedVariants([one for one in measured if one.figures.name not in names], dropped)


def write_card(recipe: Recipe, metrics: Metrics, folder: Path) -> None:
    """Write all that says what was measured; ReleaseError when the card does not pass its own linter."""
    write_metrics(metrics, folder / METRICS)
    write_threshold(folder, metrics.abstention.threshold if metrics.abstention else None)
    (folder / RECIPE).write_text(dump_recipe(recipe), encoding="utf-8")
    draw_figures(metrics, folder)
    card = build_card(recipe, metrics)
    (folder / CARD).write_text(card, encoding="utf-8")
    if problems := lint_card(card, metrics, folder):
        raise ReleaseError(
            "the card does not pass its linter:\n" + "\n".join(str(problem) for problem in problems)
        )


def summarize(folder: Path, metrics: Metrics) -> str:
    """Return the release in a few lines: files, accuracy, macro F1, size, latency."""
    lines = [
        f"{folder}: version {metrics.version}, {metrics.parameters / 1e6:.1f} M parameters, {metrics.licence}"
    ]
    for one in metrics.variants:
        lines.append(
            f"  {one.file:28s} {one.bytes / 1e6:6.1f} MB  accuracy {one.scores.accuracy:.3f}  "
            f"macro F1 {one.scores.macro_f1:.3f}  p50 {one.timing.p50_ms:.2f} ms"
        )
    lines += [f"  {told}" for told in tell_conditions(metrics)]
    return "\n".join(lines)


@app.command(help=__doc__)
def main(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="what to make")] = Path(
        "recipes/quickstart.yaml"
    ),
    runs: Annotated[Path, typer.Option(help="where releases go, a folder a recipe")] = Path("runs"),
    resume: Annotated[bool, typer.Option("--resume", help="go on from the last checkpoint")] = False,
) -> None:
    """Make one release; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("run again with --resume to go on"):
        recipe = load_recipe(recipe_file)
        run = Run(runs / recipe.name)
        with claimed(run.folder):
            release = train(recipe, run, resume)
        print(summarize(release, read_metrics(release / METRICS)))


if __name__ == "__main__":
    print_anywhere()
    app()
