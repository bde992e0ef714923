"""A recipe by cross-validation: every row is a test row once, in a fold whose training had none of its group.

python -m benchmarks.cross_validate recipes/finsent-tiny.yaml                         all five folds
python -m benchmarks.cross_validate recipes/finsent-tiny.yaml --only 0 --seeds 1,2,3  one fold, three seeds
python -m benchmarks.cross_validate recipes/finsent-tiny.yaml --against finsent-nano  row by row

Each fold is a run of train.py (teachers too) into runs/folds/, and its quantized file is what is scored.
What was predicted stays there: a fold that is done is not run again. FINSENT_MIRROR stands before the Hub.
Writes benchmarks/folds/<recipe>.md; texts are never written, only their sha256.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pandas
import typer
from scipy.stats import binomtest

from finsent import REPOSITORY
from finsent.data import load_splits
from finsent.recipe import Fold, Recipe
from finsent.recipe_file import dump_recipe, load_recipe
from finsent.scoring import Scores, score
from finsent.sources import mirror_from_environment
from space.classifier import Classifier

PAGES = Path(__file__).with_name("folds")


def part_of(recipe: Recipe, fold: Fold, seed: int | None) -> Recipe:
    """Return the recipe of one fold; teachers learn from the same fold, and all get names of their own."""
    data = recipe.data.model_copy(update={"fold": fold})
    changes: dict[str, Any] = {"name": f"{recipe.name}-{fold.index}-of-{fold.of}", "data": data}
    if recipe.distillation is not None:
        teachers = [part_of(teacher, fold, None) for teacher in recipe.teachers]
        changes["distillation"] = recipe.distillation.model_copy(update={"teachers": teachers})
    if seed is not None:
        changes["name"] += f"-seed-{seed}"
        changes["training"] = recipe.training.model_copy(update={"seed": seed})
    return recipe.model_copy(update=changes)


def run_fold(recipe: Recipe, runs: Path) -> pandas.DataFrame:
    """Return row (sha256 of the text), source, slice, label and the probabilities of one fold's test rows."""
    table = runs / recipe.name / "predictions.parquet"
    if not table.is_file():
        table.parent.mkdir(parents=True, exist_ok=True)
        file = runs / f"{recipe.name}.yaml"
        file.write_text(dump_recipe(recipe), encoding="utf-8")
        command = [sys.executable, "train.py", str(file.resolve()), "--runs", str(runs.resolve()), "--resume"]
        subprocess.run(command, cwd=REPOSITORY, check=True)
        predict_rows(recipe, runs / recipe.name / "release").to_parquet(table)
    return pandas.read_parquet(table)


def predict_rows(recipe: Recipe, release: Path) -> pandas.DataFrame:
    """Score the test rows of a fold with the quantized file of its release."""
    rows = load_splits(recipe, mirror_from_environment()).test
    probabilities = Classifier(release).predict([row.text for row in rows])
    return pandas.DataFrame(
        {
            "row": [hashlib.sha256(row.text.encode()).hexdigest() for row in rows],
            "source": [row.source for row in rows],
            "slice": [row.slice for row in rows],
            "label": [recipe.labels.index(row.label) for row in rows],
            **{f"p{index}": probabilities[:, index] for index in range(len(recipe.labels))},
        }
    )


def score_sources(found: pandas.DataFrame, recipe: Recipe) -> dict[str, Scores]:
    """Return the scores of every source over all folds and seeds that were run."""
    columns = [f"p{index}" for index in range(len(recipe.labels))]
    return {
        str(name): score(
            rows[columns].to_numpy(),
            rows["label"].to_numpy(),
            recipe.labels,
            recipe.evaluation.bootstrap,
            recipe.seed,
        )
        for name, rows in found.groupby("source")
    }


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
        p = binomtest(ours, ours + theirs).pvalue if ours + theirs else 1.0
        outcome[str(name)] = (ours, theirs, float(p))
    return outcome


def _right(found: pandas.DataFrame) -> pandas.DataFrame:
    once = found.drop_duplicates("row").set_index("row")
    chosen = once.filter(regex=r"^p\d+$").to_numpy().argmax(axis=1)
    return pandas.DataFrame({"source": once["source"], "right": chosen == once["label"]}, index=once.index)


def render(recipe: Recipe, done: list[Recipe], found: pandas.DataFrame) -> str:
    """Return the page: what was run and a row a source."""
    lines = [
        f"# {recipe.name}, cross-validated",
        "",
        "Generated by `python -m benchmarks.cross_validate`. Scored is the quantized file of every fold, on",
        f"rows whose group no training row shares. Runs: {', '.join(one.name for one in done)}.",
        "",
        "| source | rows | accuracy (95 % interval) | macro F1 (95 % interval) | ECE |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in score_sources(found, recipe).items():
        accuracy, f1 = one.accuracy_interval, one.macro_f1_interval
        lines.append(
            f"| {name} | {one.n} | {one.accuracy:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f}) "
            f"| {one.macro_f1:.3f} ({f1.low:.3f} to {f1.high:.3f}) | {one.ece:.3f} |"
        )
    return "\n".join(lines) + "\n"


def main(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="what to validate")],
    folds: Annotated[int, typer.Option(help="parts that the rows are dealt into")] = 5,
    only: Annotated[str, typer.Option(help="folds to run, such as 0,1; all by default")] = "",
    seeds: Annotated[str, typer.Option(help="training seeds, such as 1,2,3; the recipe's by default")] = "",
    against: Annotated[str, typer.Option(help="name of a recipe validated before, to compare with")] = "",
    runs: Annotated[Path, typer.Option(help="where folds go")] = REPOSITORY / "runs" / "folds",
) -> None:
    """Run the folds that are not done yet, then print and write what all of them show."""
    recipe = load_recipe(recipe_file)
    chosen = [int(part) for part in only.split(",")] if only else list(range(folds))
    draws = [int(seed) for seed in seeds.split(",")] if seeds else [None]
    done = [part_of(recipe, Fold(index=index, of=folds), seed) for seed in draws for index in chosen]
    found = pandas.concat([run_fold(one, runs) for one in done], ignore_index=True)
    page = render(recipe, done, found)
    PAGES.mkdir(exist_ok=True)
    (PAGES / f"{recipe.name}.md").write_text(page, encoding="utf-8")
    print(page)
    if against:
        files = sorted(runs.glob(f"{against}-*-of-{folds}*/predictions.parquet"))
        other = pandas.concat([pandas.read_parquet(file) for file in files], ignore_index=True)
        for source, (ours, theirs, p) in compare(found, other).items():
            print(f"{source}: right in {recipe.name} alone {ours}, in {against} alone {theirs}, p {p:.3f}")


if __name__ == "__main__":
    typer.run(main)
