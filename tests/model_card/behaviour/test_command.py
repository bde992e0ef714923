from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from model_card.behaviour.cases import read_suites
from tests.model_card.behaviour import RECIPE, held_out_headlines
from tests.tiny import ROOT, read_json


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.model_card.behaviour", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_prints_rates_of_a_release(tiny_release: Path, tmp_path: Path) -> None:
    done = run_module(str(tiny_release), "--json", str(tmp_path / "out.json"), "--failures")
    assert done.returncode == 0, done.stderr
    results = read_json(tmp_path / "out.json")
    assert [one["name"] for one in results] == [
        suite.name for suite in read_suites(RECIPE, held_out_headlines())
    ]
    contrast = next(one for one in results if one["name"] == "direction/contrast")
    row = f"| direction/contrast | {contrast['rate']:.1%} | {contrast['low']:.1%} to {contrast['high']:.1%} |"
    assert row in done.stdout
    assert len(contrast["failures"]) == contrast["n"] - contrast["passed"] > 0
    assert contrast["failures"][0]["texts"][0] in done.stdout.partition("| paraphrase/right")[2]
    assert json.dumps(results)


def test_the_command_names_a_release_that_is_none(tmp_path: Path) -> None:
    done = run_module(str(tmp_path))
    assert done.returncode == 1 and done.stdout == ""
    assert "config.json" in done.stderr and "is it a finsent release?" in done.stderr
