"""Write the tables of results in README.md and docs/results.md.

python -m benchmarks.results            take runs/*/release/metrics.json over, then write the tables
python -m benchmarks.results --check    exit 1 if a table differs from benchmarks/results/ and folds/
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.counts import Folds, read_folds, tell_sources
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere
from finsent.recipe.file import load_recipe
from finsent.scoring import Scores
from model_card.measure.metrics_file import Metrics, read_metrics

app = make_app(__doc__)

RESULTS = Path(__file__).parent / "results"
README = REPOSITORY / "README.md"
PAGE = REPOSITORY / "docs" / "results.md"
FOLDS = Path(__file__).parent / "folds"
RECIPES = REPOSITORY / "recipes"
RESAMPLES = 1000


def render_summary(runs: list[Metrics]) -> str:
    """Return a row per release: the size of its default file, and its accuracy on each source."""
    sources = _sources(runs)
    lines = [
        f"| Release | Size | {' | '.join(sources)} | Licence |",
        f"| --- | --- |{' --- |' * len(sources)} --- |",
    ]
    for run in _largest_first(runs):
        found = (run.by_source.get(source) for source in sources)
        cells = [f"{100 * scores.accuracy:.1f}" if scores else "" for scores in found]
        size = run.variant(run.default_variant).bytes
        lines.append(f"| {run.recipe} | {size / 1e6:.1f} MB | {' | '.join(cells)} | {run.licence} |")
    return "\n".join(lines)


def _sources(runs: list[Metrics]) -> list[str]:
    return list(dict.fromkeys(source for run in runs for source in run.by_source))


def _largest_first(runs: list[Metrics]) -> list[Metrics]:
    return sorted(runs, key=lambda run: -run.variant(run.default_variant).bytes)


def render_table(runs: list[Metrics]) -> str:
    """Return a row per release: its default file on the test rows of each source that it was trained on."""
    sources = _sources(runs)
    lines = [
        f"| Release | Parameters | Size | {' | '.join(sources)} | Flips | Licence |",
        f"| --- | --- | --- |{' --- |' * len(sources)} --- | --- |",
    ]
    for run in _largest_first(runs):
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
        f"Accuracy (95 % interval) / macro F1 of {' or '.join(f'`{file}`' for file in files)}.",
        "Flips: the share of test rows that PyTorch labels differently.",
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
        return "No recipe has been cross-validated in this way since it last changed."
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
    """Return which recipes, as they are in `recipes`, are not those that folds were counted for."""
    return [
        folds.recipe
        for folds in found
        if load_recipe(recipes / f"{folds.recipe}.yaml").making_fingerprint() != folds.made_from
    ]


def fill_page(page: Path, tables: Mapping[str, str]) -> str:
    """Return a page with each table between the markers of its name; ValueError if one is missing."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if begin not in text or end not in text:
            raise ValueError(f"{page.name} has no {begin} … {end}")
        text = f"{text.partition(begin)[0]}{begin}\n{table}\n{end}{text.partition(end)[2]}"
    return text


def take_runs(runs: Path) -> None:
    """Copy the metrics of releases below `runs` that have a recipe in recipes/ into benchmarks/results/."""
    RESULTS.mkdir(exist_ok=True)
    for path in sorted(runs.glob("*/release/metrics.json")):
        metrics = read_metrics(path)
        if not (RECIPES / f"{metrics.recipe}.yaml").is_file():
            continue  # a fold, a teacher of one seed, or something of somebody's own
        (RESULTS / f"{metrics.recipe}.json").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")


@app.command(help=app.info.help)
def main(
    runs: Annotated[Path, typer.Option(help="folder with one folder per release")] = REPOSITORY / "runs",
    check: Annotated[bool, typer.Option("--check", help="compare, and write nothing")] = False,
) -> None:
    """Update the tables of results, or say which page is out of date."""
    if not check:
        take_runs(runs)
    results = [read_metrics(path) for path in sorted(RESULTS.glob("*.json"))]
    counted = [path for path in sorted(FOLDS.glob("*.json")) if (RECIPES / f"{path.stem}.yaml").is_file()]
    folds = [read_folds(path) for path in counted]
    if stale := find_stale(folds, RECIPES):
        print(
            f"{', '.join(stale)}: changed since its folds were counted; cross-validate it again, or "
            f"delete its file in benchmarks/{FOLDS.name}/",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    sizes = {run.recipe: run.variant(run.default_variant).bytes for run in results}
    update_page(README, {"summary": render_summary(results)}, check)
    update_page(PAGE, {"results": render_table(results), "folds": render_folds(folds, sizes)}, check)


def update_page(page: Path, tables: Mapping[str, str], check: bool) -> None:
    """Write the tables of a page; with `check`, write nothing and exit 1 if they differ."""
    new = fill_page(page, tables)
    if check and new != page.read_text(encoding="utf-8"):
        print(f"{page.name} is out of date; run make generated", file=sys.stderr)
        raise typer.Exit(1)
    page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    print_anywhere()
    app()
