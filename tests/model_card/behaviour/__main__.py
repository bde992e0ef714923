"""Rates of a released model in every suite: `python -m tests.model_card.behaviour RELEASE`.

RELEASE is a folder such as runs/quickstart/release, or a Hub id.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inference.classifier import Classifier
from model_card.behaviour.cases import read_suites
from model_card.behaviour.suites import SuiteResult, run_suites
from tests.model_card.behaviour import held_out_headlines


def format_table(results: Sequence[SuiteResult]) -> str:
    """Return a Markdown table, a row a suite."""
    lines = ["| suite | rate | 95 % interval | n | share of |", "| --- | ---: | ---: | ---: | --- |"]
    for one in results:
        interval = f"{one.low:.1%} to {one.high:.1%}"
        lines.append(f"| {one.name} | {one.rate:.1%} | {interval} | {one.n} | {one.measures} |")
    return "\n".join(lines)


def format_failures(results: Sequence[SuiteResult]) -> str:
    """Return every case that went wrong: its suite, and each text behind the label that it got."""
    lines = []
    for one in results:
        for failure in one.failures:
            wanted = f", expected {' / '.join(failure.expected)}" if failure.expected else ""
            lines.append(f"{one.name}{wanted}")
            lines += [
                f"  {label:8s} {text}" for label, text in zip(failure.given, failure.texts, strict=True)
            ]
    return "\n".join(lines)


def main(
    release: Annotated[str, typer.Argument(help="folder of a release, or Hub id")],
    file: Annotated[str, typer.Option(help="which of its ONNX files")] = "onnx/model_quantized.onnx",
    to_json: Annotated[
        Path | None, typer.Option("--json", help="write results, failures included, here")
    ] = None,
    failures: Annotated[bool, typer.Option("--failures", help="print what went wrong, too")] = False,
) -> None:
    """Print the rates of a released model; exit 1 when it cannot be loaded or lacks a label."""
    try:
        results = run_suites(Classifier(release, file), read_suites(held_out_headlines()))
        if to_json is not None:
            content = json.dumps([asdict(one) for one in results], ensure_ascii=False, indent=1)
            to_json.write_text(content + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"{release}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(format_table(results))
    if failures:
        print(format_failures(results))


if __name__ == "__main__":
    typer.run(main)
