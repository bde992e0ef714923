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

from finsent.onnx_files import QUANTIZED
from inference.classifier import Classifier
from model_card.behaviour.cases import Suite, read_suites
from model_card.behaviour.rates import SuiteRate
from model_card.behaviour.suites import Answers, ask_suites, find_failures, rate_suite
from tests.model_card.behaviour import RECIPE, held_out_headlines


def format_table(rates: Sequence[SuiteRate]) -> str:
    """Return a Markdown table, a row a suite."""
    lines = ["| suite | rate | 95 % interval | n | share of |", "| --- | ---: | ---: | ---: | --- |"]
    for one in rates:
        interval = f"{one.low:.1%} to {one.high:.1%}"
        lines.append(f"| {one.name} | {one.rate:.1%} | {interval} | {one.n} | {one.measures} |")
    return "\n".join(lines)


def format_failures(suites: Sequence[Suite], answers: Answers) -> str:
    """Return every case that went wrong: its suite, and each text behind the label that it got."""
    lines = []
    for suite in suites:
        for failure in find_failures(suite, answers):
            wanted = f", expected {' / '.join(failure.expected)}" if failure.expected else ""
            lines.append(f"{suite.name}{wanted}")
            lines += [
                f"  {label:8s} {text}" for label, text in zip(failure.given, failure.texts, strict=True)
            ]
    return "\n".join(lines)


def dump_json(suites: Sequence[Suite], rates: Sequence[SuiteRate], answers: Answers) -> str:
    """Return the rates with the failures behind each."""
    found = [
        asdict(rate) | {"failures": [asdict(failure) for failure in find_failures(suite, answers)]}
        for suite, rate in zip(suites, rates, strict=True)
    ]
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def main(
    release: Annotated[str, typer.Argument(help="folder of a release, or Hub id")],
    file: Annotated[str, typer.Option(help="which of its ONNX files")] = QUANTIZED.path,
    to_json: Annotated[
        Path | None, typer.Option("--json", help="write results, failures included, here")
    ] = None,
    failures: Annotated[bool, typer.Option("--failures", help="print what went wrong, too")] = False,
) -> None:
    """Print the rates of a released model; exit 1 when it cannot be loaded or lacks a label."""
    try:
        suites = read_suites(RECIPE, held_out_headlines())
        answers = ask_suites(Classifier(release, file), suites)
        rates = [rate_suite(suite, answers) for suite in suites]
        if to_json is not None:
            to_json.write_text(dump_json(suites, rates, answers), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"{release}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(format_table(rates))
    if failures:
        print(format_failures(suites, answers))


if __name__ == "__main__":
    typer.run(main)
