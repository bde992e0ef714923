"""The results table of README.md, rendered from the metrics of releases that were made here.

python -m benchmarks.results            takes runs/*/release/metrics.json into results/ here, writes README.md
python -m benchmarks.results --check    exits 1 when README.md does not say what results/ says
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from finsent import REPOSITORY
from model_card.metrics import Metrics, read_metrics

RESULTS = Path(__file__).parent / "results"
README = REPOSITORY / "README.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def render_table(runs: list[Metrics]) -> str:
    """Return the table of every release's default file, and the one source by source."""
    lines = [
        "| Release | Parameters | File | Size | Accuracy (95 % interval) | Macro F1 | p50, ms | Licence |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in runs:
        one = run.variant(run.default_variant)
        interval = one.scores.accuracy_interval
        lines.append(
            f"| {run.recipe} | {run.parameters / 1e6:.1f} M | `{one.file}` | {one.bytes / 1e6:.1f} MB | "
            f"{one.scores.accuracy:.3f} ({interval.low:.3f} to {interval.high:.3f}) | "
            f"{one.scores.macro_f1:.3f} | {one.timing.p50_ms:.1f} | {run.licence} |"
        )
    lines += ["", "On the test rows of each source, none of which was trained on:", ""]
    lines += [
        "| Release | Source | Rows | Accuracy (95 % interval) | Macro F1 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for run in runs:
        for name, scores in run.by_source.items():
            interval = scores.accuracy_interval
            lines.append(
                f"| {run.recipe} | {name} | {scores.n} | {scores.accuracy:.3f} "
                f"({interval.low:.3f} to {interval.high:.3f}) | {scores.macro_f1:.3f} |"
            )
    machine = runs[0].machine
    lines += ["", f"Measured on {machine.processor}, {machine.cores} cores ({', '.join(machine.flags)})."]
    return "\n".join(lines)


def render_readme(readme: str, table: str) -> str:
    """Return README with the table between its markers; ValueError when they are missing."""
    pattern = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(readme):
        raise ValueError(f"README.md has no {BEGIN} … {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n{table}\n{END}", readme)


def take_runs(runs: Path) -> None:
    """Copy the metrics of every whole release below `runs` into benchmarks/results/."""
    RESULTS.mkdir(exist_ok=True)
    for path in sorted(runs.glob("*/release/metrics.json")):
        metrics = read_metrics(path)
        (RESULTS / f"{metrics.recipe}.json").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")


def main(
    runs: Annotated[Path, typer.Option(help="where releases are")] = REPOSITORY / "runs",
    check: Annotated[bool, typer.Option("--check", help="only compare")] = False,
) -> None:
    """Bring README's results up to date, or say that they are not."""
    if not check:
        take_runs(runs)
    found = [read_metrics(path) for path in sorted(RESULTS.glob("*.json"), reverse=True)]
    old = README.read_text(encoding="utf-8")
    new = render_readme(old, render_table(found))
    if check and old != new:
        print("README.md does not show benchmarks/results/; run make docs", file=sys.stderr)
        raise typer.Exit(1)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
