"""The results tables of README.md, from the metrics of releases that were made here and what folds counted.

python -m benchmarks.results            takes runs/*/release/metrics.json into results/ here, writes README.md
python -m benchmarks.results --check    exits 1 when README.md does not say what results/ and folds/ say
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.counts import Folds, read_folds, tell_sources
from finsent import REPOSITORY
from finsent.cli import print_anywhere
from finsent.recipe.file import load_recipe
from finsent.scoring import Scores
from model_card.measure.metrics_file import Metrics, read_metrics

RESULTS = Path(__file__).parent / "results"
README = REPOSITORY / "README.md"
FOLDS = Path(__file__).parent / "folds"
RECIPES = REPOSITORY / "recipes"
RESAMPLES = 1000


def render_table(runs: list[Metrics]) -> str:
    """Return a row a release: its default file on the test rows of each source, none of which it learnt."""
    sources = list(dict.fromkeys(source for run in runs for source in run.by_source))
    lines = [
        f"| Release | Parameters | Size | {' | '.join(sources)} | Flips | Licence |",
        f"| --- | --- | --- |{' --- |' * len(sources)} --- | --- |",
    ]
    for run in sorted(runs, key=lambda run: -run.variant(run.default_variant).bytes):
        one = run.variant(run.default_variant)
        cells = [_tell(run.by_source.get(source)) for source in sources]
        flip_share = f"{100 * one.drift.flip_share:.1f} %" if one.drift else ""
        lines.append(
            f"| {run.recipe} | {run.parameters / 1e6:.1f} M | {one.bytes / 1e6:.1f} MB | "
            f"{' | '.join(cells)} | {flip_share} | {run.licence} |"
        )
    files = dict.fromkeys(run.variant(run.default_variant).file for run in runs)
    lines += [
        "",
        f"Accuracy (95 % interval) / macro F1 of {' or '.join(f'`{file}`' for file in files)}; flips: labels",
        "that differ from PyTorch's.",
    ]
    return "\n".join(lines)


def _tell(scores: Scores | None) -> str:
    if scores is None:
        return ""
    interval = scores.accuracy_interval
    return f"{scores.accuracy:.3f} ({interval.low:.3f} to {interval.high:.3f}) / {scores.macro_f1:.3f}"


def render_folds(found: list[Folds], sizes: dict[str, int]) -> str:
    """Return a row a source for every recipe that was cross-validated: what its folds say together.

    That on which recipes were chosen is left out: it would flatter them. `sizes`, of released files in bytes
    by recipe, put the largest first, as in the other table.
    """
    if not found:
        return "No recipe has been cross-validated yet."
    lines = [
        "| Recipe | Folds | Source | Test rows | Accuracy (95 % interval) | Macro F1 (95 % interval) | ECE |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for folds in sorted(found, key=lambda folds: -sizes.get(folds.recipe, 0)):
        told = {name: run for name, run in folds.runs.items() if name.partition("-")[0] != folds.chosen_on}
        runs = f"{', '.join(sorted(told))} of {folds.folds}"
        rows = tell_sources(folds.model_copy(update={"runs": told}), RESAMPLES)
        lines += [f"| {folds.recipe} | {runs} {row}" for row in rows]
    return "\n".join(lines)


def find_stale(found: list[Folds], recipes: Path) -> list[str]:
    """Return which recipes, as they stand in `recipes`, are not those that folds were counted for."""
    return [
        folds.recipe
        for folds in found
        if load_recipe(recipes / f"{folds.recipe}.yaml").making_fingerprint() != folds.made_from
    ]


def render_readme(readme: str, block: str, table: str) -> str:
    """Return README with the table between the markers of `block`; ValueError when they are missing."""
    begin, end = f"<!-- {block}:begin -->", f"<!-- {block}:end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(readme):
        raise ValueError(f"README.md has no {begin} … {end}")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", readme)


def take_runs(runs: Path) -> None:
    """Copy the metrics of releases below `runs` that have a recipe in recipes/ into benchmarks/results/."""
    RESULTS.mkdir(exist_ok=True)
    for path in sorted(runs.glob("*/release/metrics.json")):
        metrics = read_metrics(path)
        if not (RECIPES / f"{metrics.recipe}.yaml").is_file():
            continue  # a fold, a teacher of one seed, or something of somebody's own
        (RESULTS / f"{metrics.recipe}.json").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")


def main(
    runs: Annotated[Path, typer.Option(help="where releases are")] = REPOSITORY / "runs",
    check: Annotated[bool, typer.Option("--check", help="only compare")] = False,
) -> None:
    """Bring README's results up to date, or say that they are not."""
    if not check:
        take_runs(runs)
    results = [read_metrics(path) for path in sorted(RESULTS.glob("*.json"))]
    counted = [path for path in sorted(FOLDS.glob("*.json")) if (RECIPES / f"{path.stem}.yaml").is_file()]
    folds = [read_folds(path) for path in counted]
    if stale := find_stale(folds, RECIPES):
        print(
            f"{', '.join(stale)}: changed since its folds were counted; run them again, or take "
            f"{FOLDS.name}/ of it away",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    sizes = {run.recipe: run.variant(run.default_variant).bytes for run in results}
    old = README.read_text(encoding="utf-8")
    new = render_readme(old, "results", render_table(results))
    new = render_readme(new, "folds", render_folds(folds, sizes))
    if check and old != new:
        print("README.md does not show benchmarks/results/ and folds/; run make generated", file=sys.stderr)
        raise typer.Exit(1)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
