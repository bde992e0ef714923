"""Build a release from a recipe: train, export to ONNX, measure, write the model card.

python train.py                                  build runs/quickstart/release
python train.py recipes/finsent-research.yaml    build another recipe
python train.py recipes/x.yaml --resume          continue after an interruption
python train.py recipes/x.yaml --evaluate-on others.csv
python train.py recipes/x.yaml --write-answers   keep the answers of its teachers, to build it without them
torchrun --nproc-per-node 2 train.py RECIPE      two processes, or two GPUs
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

from export.files import export_files
from finsent import options
from finsent.claim import claimed
from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors, say, stage
from finsent.data.splits import Splits
from finsent.data.telling import tell_briefly
from finsent.encoder.load import load_base
from finsent.endpoint import write_endpoint_files
from finsent.errors import FinsentError
from finsent.licences import recipe_licence
from finsent.mirror import mirror_from_environment
from finsent.onnx_files import ONNX_FILES
from finsent.optional_packages import check_packages
from finsent.preparation import inspect_rows, prepare_splits, prepare_teacher_splits, prepare_transfer
from finsent.pretraining.protection import check_protected
from finsent.pretraining.start import ensure_encoder
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, RUNS, Run
from finsent.training.answers import answers_folder, find_answers, write_answers
from finsent.training.batches import check_pairs_fit
from finsent.training.distributed import (
    check_share,
    count_processes,
    dismiss_others,
    gathered,
    tell_processes,
)
from finsent.training.fit import check_fitting, fit
from finsent.training.precision import use_bf16
from finsent.training.targets import asked_texts
from finsent.training.teachers import remember_logits
from model_card.behaviour.cases import read_suites
from model_card.card.files import write_card
from model_card.measure.metrics_file import read_metrics
from model_card.measure.other_rows import score_and_write
from model_card.measure.release import measure_release
from model_card.measure.variants import (
    GatedVariants,
    MeasuredVariant,
    check_required,
    find_dropped,
    measure_variants,
)
from model_card.measure.weakness import check_strength
from model_card.reuse import was_made_from
from model_card.summary import summarize

app = make_app(__doc__)


def train(recipe: Recipe, run: Run, resume: bool = False, splits: Splits | None = None) -> Path:
    """Build the release of a recipe and return its folder; if this fails, an older release stays in place.

    A teacher gets the splits of its student, so that neither is trained on the other's test rows. If it has
    sources of its own, rows that are close to those test rows are left out.
    """
    is_teacher = splits is not None
    check_share(recipe.training.batch_size)
    check_pairs_fit(recipe.training, count_processes())
    check_packages(recipe)
    mirror = mirror_from_environment()
    licence = recipe_licence(recipe)
    read_suites(recipe, [])  # so that a suite that cannot be read fails now, not after the training
    for encoder in recipe.encoders:
        ensure_encoder(encoder, run.folder.parent, mirror, resume)
    stage(f"data: {', '.join(source.name for source in recipe.data.sources)}")
    splits = splits or prepare_splits(recipe, mirror)
    check_protected(recipe, splits)
    for line in tell_briefly(inspect_rows(recipe, splits, mirror)):
        say(line)
    check_fitting(recipe, splits, mirror)
    teachers = [find_teacher(teacher, recipe, splits, run, resume) for teacher in recipe.teachers]
    start = teachers[0] if recipe.distillation and recipe.distillation.initialize_from == "teacher" else None
    stage(f"base: {recipe.teachers[0].name if start else recipe.base.hub}")
    base = load_base(recipe, [row.text for row in splits.train], mirror, start)
    staging = run.start()
    stage(f"training: {len(splits.train)} rows{tell_processes()}")
    transfer = prepare_transfer(recipe, splits, mirror)
    report = fit(recipe, splits, base, run.checkpoints, resume, teachers, transfer)
    if not is_teacher:  # whose student is still to be fitted
        dismiss_others()
    base.save(staging)
    stage(f"export: {', '.join(variant.name for variant in recipe.export.variants)}")
    export_files(recipe.export, [row.text for row in splits.train], staging)
    write_endpoint_files(staging)
    stage(f"measuring: {len(splits.test)} test rows")
    variants = pass_gate(recipe, measure_variants(recipe, splits.test, staging), staging)
    metrics = measure_release(recipe, splits, report, staging, licence.id, variants, teachers)
    check_strength(recipe, metrics)
    stage("card")
    write_card(recipe, metrics, staging)
    return run.finish()


def find_teacher(teacher: Recipe, student: Recipe, splits: Splits, run: Run, resume: bool) -> Path:
    """Return a teacher's written answers where the recipe has them, else its release, built if need be."""
    if student.has_written_answers:
        return find_answers(student, teacher, splits)
    return make_teacher(teacher, student, splits, run, resume)


def make_teacher(teacher: Recipe, student: Recipe, splits: Splits, run: Run, resume: bool) -> Path:
    """Return the release of a teacher, next to that of `run`; build it unless it exists for these texts.

    Students that are built at the same time wait for each other here.
    """
    mirror = mirror_from_environment()
    rows = prepare_teacher_splits(teacher, student, splits, mirror)
    own = Run(run.folder.parent / teacher.name)
    with claimed(own.folder, wait=True):
        if not was_made_from(own.release, teacher, rows, mirror):
            stage(f"teacher: {teacher.name}")
            train(teacher, own, resume, rows)
    return own.release


def answer_for(recipe: Recipe, run: Run, resume: bool = False) -> list[Path]:
    """Write down what the teachers of a recipe answer to every text of its splits and every text it adds.

    The teachers are built where they are not there. Returns the tables. Raises FinsentError.
    """
    if not recipe.has_written_answers:
        raise FinsentError(
            f"{recipe.name}: --write-answers needs distillation.answers, the folder to write to"
        )
    check_packages(recipe)
    answers_folder(recipe).mkdir(parents=True, exist_ok=True)  # before hours of building teachers
    mirror = mirror_from_environment()
    for encoder in recipe.encoders:
        ensure_encoder(encoder, run.folder.parent, mirror, resume)
    stage(f"data: {', '.join(source.name for source in recipe.data.sources)}")
    splits = prepare_splits(recipe, mirror)
    transfer = prepare_transfer(recipe, splits, mirror)
    texts = [row.text for part in (splits.train, splits.validation, splits.test) for row in part]
    texts += asked_texts(recipe, splits.train, transfer.texts if transfer else ())
    bf16 = use_bf16(recipe.training.bf16)
    tables = []
    for teacher in recipe.teachers:
        release = make_teacher(teacher, recipe, splits, run, resume)
        stage(f"answers: {teacher.name}, {len(texts):,} texts")
        answers = dict(zip(texts, remember_logits(release, texts, bf16), strict=True))
        tables.append(write_answers(recipe, teacher, release, splits, answers))
    return tables


def pass_gate(recipe: Recipe, measured: list[MeasuredVariant], folder: Path) -> GatedVariants:
    """Delete the files that are over budget and say why; ReleaseError if one of them is required."""
    dropped = find_dropped(recipe.export, measured)
    for one in dropped:
        say(f"not released: {one.name}: {'; '.join(one.reasons)}")
    check_required(recipe.export, dropped)
    for one in dropped:
        (folder / ONNX_FILES[one.name].path).unlink()
    return GatedVariants.without(dropped, measured)


@app.command(help=app.info.help)
def main(
    recipe_file: options.RecipeFile = Path("recipes/quickstart.yaml"),
    runs: options.Runs = RUNS,
    resume: options.Resume = False,
    evaluate_on: options.EvaluateOn = None,
    write: options.WriteAnswers = False,
) -> None:
    """Build a release, or score an existing one; exit 1 with one line if something is wrong."""
    quiet_libraries()
    with reporting_errors("run again with --resume to continue"), gathered() as first:
        if not first:
            return
        recipe = load_recipe(recipe_file, runs)
        run = Run(runs / recipe.name)
        if evaluate_on is not None:
            score_and_write(str(run.folder), [evaluate_on], run.folder / f"{evaluate_on.stem}.scores.json")
            return
        with claimed(run.folder):
            if write:
                print(*answer_for(recipe, run, resume), sep="\n")
                return
            release = train(recipe, run, resume)
        print(summarize(release, read_metrics(release / METRICS)))


if __name__ == "__main__":
    print_anywhere()
    app()
