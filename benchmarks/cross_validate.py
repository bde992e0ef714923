"""Cross-validate a recipe: every row is tested once, by a model that was not trained on its group.

python -m benchmarks.cross_validate recipes/finsent-tiny.yaml                         all five folds
python -m benchmarks.cross_validate recipes/finsent-tiny.yaml --only 0 --seeds 1,2,3  one fold, three seeds
python -m benchmarks.cross_validate recipes/finsent-tiny.yaml --against finsent-nano  compare row by row

Each fold runs train.py, teachers included, into runs/folds/ and scores the quantized file. FINSENT_MIRROR
is searched before the Hub. Counts go to benchmarks/folds/<recipe>.json and to a page beside it; a fold that
is already there is not run again. Predictions stay in runs/folds/, with the sha256 of each text instead of
the text.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pandas
import typer

from benchmarks.counts import Folds, count, read_folds, tell_sources, write_folds
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere
from finsent.data.rows import Row
from finsent.data.splits import fingerprint
from finsent.errors import FinsentError
from finsent.mirror import mirror_from_environment
from finsent.preparation import prepare_splits
from finsent.recipe.data import Fold
from finsent.recipe.file import dump_recipe, load_recipe
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats, mcnemar
from inference.classifier import Classifier

app = make_app(__doc__)

PAGES = Path(__file__).with_name("folds")
RESAMPLES = 1000


def part_of(recipe: Recipe, fold: Fold, seed: int | None) -> Recipe:
    """Return the recipe of one fold; teachers learn from the same fold, and all get names of their own."""
    data = recipe.data.model_copy(update={"fold": fold})
    name = f"{recipe.name}-{fold.index}-of-{fold.of}"
    changes: dict[str, Any] = {"name": name, "data": data, "allow_weak": True}  # measured, never published
    if recipe.distillation is not None:
        teachers = [part_of(teacher, fold, None) for teacher in recipe.distillation.teachers]
        changes["distillation"] = recipe.distillation.model_copy(
            update={"teachers": teachers, "answers": None}
        )
    part = recipe.model_copy(update=changes)
    return part if seed is None else part.with_seed(seed)


def run_fold(recipe: Recipe, runs: Path) -> pandas.DataFrame:
    """Return row (sha256 of the text), source, slice, label and the probabilities of one fold's test rows.

    What this recipe and these rows gave before is read. Raises FinsentError if train.py fails.
    """
    splits = prepare_splits(recipe, mirror_from_environment())
    every = "".join(splits.report.fingerprints.values()) + recipe.making_fingerprint()
    table = runs / recipe.name / f"predictions-{hashlib.sha256(every.encode()).hexdigest()[:16]}.parquet"
    if not table.is_file():
        table.parent.mkdir(parents=True, exist_ok=True)
        for old in table.parent.glob("predictions-*.parquet"):
            old.unlink()  # of another recipe or other rows, whose release goes, too
        file = runs / f"{recipe.name}.yaml"
        file.write_text(dump_recipe(recipe, file.parent), encoding="utf-8")
        command = [sys.executable, "train.py", str(file.resolve()), "--runs", str(runs.resolve())]
        if subprocess.run(command, cwd=REPOSITORY, check=False).returncode:
            raise FinsentError(f"{recipe.name}: train.py failed; folds that were counted before it are kept")
        partial = table.with_suffix(".partial")
        predict_rows(recipe, splits.test, runs / recipe.name / "release").to_parquet(partial)
        partial.replace(table)
    return pandas.read_parquet(table)


def predict_rows(recipe: Recipe, rows: list[Row], release: Path) -> pandas.DataFrame:
    """Score rows with the quantized file of a release."""
    return tabulate(recipe, rows, Classifier(release).predict([row.text for row in rows]))


def tabulate(recipe: Recipe, rows: list[Row], probabilities: Floats) -> pandas.DataFrame:
    """Return a table of rows without their texts, and the probabilities `(n, n_labels)` of each."""
    return pandas.DataFrame(
        {
            "row": [hashlib.sha256(row.text.encode("utf-8", "surrogatepass")).hexdigest() for row in rows],
            "source": [row.source for row in rows],
            "slice": [row.slice for row in rows],
            "label": [recipe.labels.index(row.label) for row in rows],
            **{f"p{index}": probabilities[:, index] for index in range(len(recipe.labels))},
        }
    )


def compare(found: pandas.DataFrame, other: pandas.DataFrame) -> dict[str, tuple[int, int, float]]:
    """Return by source: rows that only this one has right, only the other, and McNemar's exact p.

    Rows that both were tested on are counted, once: where there are several seeds, the first.
    """
    both = _right(found).merge(
        _right(other)["right"], left_index=True, right_index=True, suffixes=("", "_other")
    )
    outcome = {}
    for name, rows in both.groupby("source"):
        ours = int((rows["right"] & ~rows["right_other"]).sum())
        theirs = int((~rows["right"] & rows["right_other"]).sum())
        outcome[str(name)] = (ours, theirs, mcnemar(ours, theirs))
    return outcome


def _right(found: pandas.DataFrame) -> pandas.DataFrame:
    once = found.drop_duplicates("row").set_index("row")
    chosen = once.filter(regex=r"^p\d+$").to_numpy().argmax(axis=1)
    return pandas.DataFrame({"source": once["source"], "right": chosen == once["label"]}, index=once.index)


def render(recipe: Recipe, folds: Folds) -> str:
    """Return the page: what was run and a row a source."""
    lines = [
        f"# {recipe.name}, cross-validated",
        "",
        "Generated by `python -m benchmarks.cross_validate`. No training row shares a group with a test row.",
        f"Of {folds.folds} folds these were run, and scored with the quantized file: "
        f"{', '.join(sorted(folds.runs))}.",
        *_tell_choice(folds),
        "",
        "| source | rows | accuracy (95 % interval) | macro F1 (95 % interval) | ECE |",
        "| --- | --- | --- | --- | --- |",
        *tell_sources(folds, RESAMPLES),
    ]
    return "\n".join(lines) + "\n"


def _tell_choice(folds: Folds) -> list[str]:
    if not folds.chosen_on:
        return []
    return [f"The recipe was chosen by scores on fold {folds.chosen_on}, so its rows flatter it."]


def start_folds(recipe: Recipe, file: Path, of: int) -> Folds:
    """Return what was counted before, or nothing; FinsentError if that was another recipe or other rows."""
    splits = prepare_splits(recipe, mirror_from_environment())
    fresh = Folds(
        recipe=recipe.name,
        made_from=recipe.making_fingerprint(),
        rows=fingerprint(splits.train + splits.validation + splits.test),
        folds=of,
    )
    if not file.is_file():
        return fresh
    found = read_folds(file)
    for key in ("made_from", "rows", "folds"):
        if getattr(found, key) != getattr(fresh, key):
            raise FinsentError(
                f"{file}: its {len(found.runs)} runs are of another kind ({key} differs); move it away to "
                "begin anew"
            )
    return found


def run_missing(
    recipe: Recipe, pages: Path, runs: Path, of: int, chosen: list[int], seeds: list[int | None]
) -> Folds:
    """Run the folds that are not counted yet, write each one's counts and the page; return all counts.

    Raises FinsentError: train.py fails, or what was counted before is of another recipe or other rows.
    """
    parts = {
        (str(index) if seed is None else f"{index}-seed-{seed}"): part_of(
            recipe, Fold(index=index, of=of), seed
        )
        for seed in seeds
        for index in chosen
    }
    file = pages / f"{recipe.name}.json"
    folds = start_folds(recipe, file, of)
    pages.mkdir(exist_ok=True)
    for name, part in parts.items():
        if name not in folds.runs:
            counts = count(run_fold(part, runs), recipe)
            if file.is_file():
                folds = read_folds(file)  # another fold may have been counted meanwhile
            folds.runs[name] = counts
            write_counts(recipe, folds, file)
    return folds


def write_counts(recipe: Recipe, folds: Folds, file: Path) -> None:
    """Write counts, and the page beside them."""
    write_folds(folds, file)
    file.with_suffix(".md").write_text(render(recipe, folds), encoding="utf-8")


def read_predictions(name: str, of: int, runs: Path) -> pandas.DataFrame:
    """Return what the folds of a recipe predicted; FinsentError if there is nothing."""
    folder = re.compile(rf"{re.escape(name)}-\d+-of-{of}(-seed-\d+)?")
    files = [
        file for file in sorted(runs.glob("*/predictions-*.parquet")) if folder.fullmatch(file.parent.name)
    ]
    if not files:
        raise FinsentError(f"{runs}: no fold of {name} has left its predictions there; run it first")
    return pandas.concat([pandas.read_parquet(file) for file in files], ignore_index=True)


@app.command(help=app.info.help)
def main(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="the recipe to validate")],
    folds: Annotated[int, typer.Option(min=2, max=100, help="number of folds")] = 5,
    only: Annotated[str, typer.Option(help="folds to run, such as 0,1; default: all")] = "",
    seeds: Annotated[str, typer.Option(help="training seeds, such as 1,2,3; default: the recipe's")] = "",
    chosen_on: Annotated[
        str, typer.Option(help="fold whose scores the recipe was chosen by; docs/results.md leaves it out")
    ] = "",
    against: Annotated[str, typer.Option(help="name of an already validated recipe to compare with")] = "",
    runs: Annotated[Path, typer.Option(help="folder for the folds")] = REPOSITORY / "runs" / "folds",
) -> None:
    """Run the folds that are not done yet, then print and write what all of them show."""
    try:
        recipe = load_recipe(recipe_file)
        chosen = _numbers(only, "--only", folds) if only else list(range(folds))
        if chosen_on:
            _check_fold(chosen_on, folds)
        draws: list[int | None] = [*_numbers(seeds, "--seeds", 2**32)] if seeds else [None]
        found = run_missing(recipe, PAGES, runs, folds, chosen, draws)
        if chosen_on:
            found = found.model_copy(update={"chosen_on": chosen_on})
            write_counts(recipe, found, PAGES / f"{recipe.name}.json")
        print(render(recipe, found))
        if against:
            ours, theirs = (read_predictions(name, folds, runs) for name in (recipe.name, against))
            for source, (here, there, p) in compare(ours, theirs).items():
                print(f"{source}: right in {recipe.name} alone {here}, in {against} alone {there}, p {p:.3f}")
    except (FinsentError, OSError) as error:
        print(f"cross_validate: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _numbers(text: str, option: str, limit: int) -> list[int]:
    if not all(_is_below(limit, part) for part in text.split(",")):
        raise FinsentError(f"{option}: got {text!r}, allowed are numbers below {limit}, such as 0,1")
    return [int(part) for part in text.split(",")]


def _check_fold(text: str, folds: int) -> None:
    if not _is_below(folds, text):
        raise FinsentError(f"--chosen-on: got {text!r}, allowed is one number below {folds}, such as 0")


def _is_below(limit: int, text: str) -> bool:
    return text.isdecimal() and int(text) < limit


if __name__ == "__main__":
    print_anywhere()
    app()
