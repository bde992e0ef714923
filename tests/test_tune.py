"""tune.py as a person runs it: refused without optuna, whole, and killed twice on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tune
from benchmarks.environments import packages_on_top
from finsent import optional_packages
from finsent.recipe.file import load_recipe
from tests import tiny
from tests.tuning import samples
from tuning.report import Report, read_report

TRIALS = 4
SEARCH: dict[str, Any] = {"trials": TRIALS, "startup": 2, "finalists": 1, "seeds": 1}


def test_without_optuna_the_command_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda _: None)
    done = CliRunner().invoke(tune.app, ["recipes/quickstart.yaml", "--runs", str(tmp_path)])
    assert done.exit_code == 1 and done.stdout == ""
    (line,) = (done.stderr + capfd.readouterr().err).splitlines()
    assert line.endswith("tune.py needs optuna; install with: pip install -r requirements-methods.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def packages() -> dict[str, str]:
    """The environment of a process that finds optuna beside the packages of this one."""
    return {**os.environ, "PYTHONPATH": str(packages_on_top(tiny.ROOT / optional_packages.METHODS))}


def command(search: Path, *options: str) -> list[str]:
    return [sys.executable, "tune.py", str(search), "--runs", str(search.parent / "runs"), *options]


def run(packages: dict[str, str], search: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(search, *options),
        cwd=tiny.ROOT, env=packages, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


def kill_when(packages: dict[str, str], search: Path, ready: Callable[[], bool]) -> None:
    with subprocess.Popen(command(search), cwd=tiny.ROOT, env=packages, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 200
        while not ready():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)


def count_states(study: Path) -> dict[str, int]:
    """Return how many trials are in which state, as the file has it."""
    if not study.is_file():
        return {}
    with closing(sqlite3.connect(f"file:{study}?mode=ro", uri=True)) as file:
        try:
            return dict(file.execute("SELECT state, COUNT(*) FROM trials GROUP BY state"))
        except sqlite3.OperationalError:  # the tables are not made yet
            return {}


def without_time(report: Report) -> Report:
    trials = [trial.model_copy(update={"seconds": 0.0}) for trial in report.trials]
    return report.model_copy(update={"trials": trials, "cut_off": 0})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_that_is_killed_goes_on_to_as_many_trials_as_were_asked_for(
    packages: dict[str, str], tmp_path: Path, tiny_base: Path
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = samples.write_search(tmp_path / "whole", tiny_base, samples.SHORT, **SEARCH)
    cut = samples.write_search(tmp_path / "cut", tiny_base, samples.SHORT, **SEARCH)
    done = run(packages, whole)
    assert done.returncode == 0, done.stderr
    assert f"tiny-search: {TRIALS} trials looked at in" in done.stdout and "Traceback" not in done.stderr
    assert f"  trial {TRIALS} of {TRIALS}: macro F1 " in done.stderr
    folder = cut.parent / "runs" / "tiny-search"
    study, finals = folder / "study.db", folder / "finals"
    kill_when(packages, cut, lambda: count_states(study).get("RUNNING", 0) == 1
              and sum(count_states(study).values()) >= 3)  # fmt: skip
    assert count_states(study)["RUNNING"] == 1 and not (folder / "best.yaml").exists()
    kill_when(packages, cut, lambda: bool(list(finals.glob("*.json"))))
    assert not (folder / "best.yaml").exists() and not (folder / "search.json").exists()
    kept = {file: file.stat().st_mtime_ns for file in finals.glob("*.json")}
    done = run(packages, cut)
    assert done.returncode == 0, done.stderr
    states = count_states(study)
    assert states["FAIL"] == 1 and "RUNNING" not in states and "WAITING" not in states
    assert states.get("COMPLETE", 0) + states.get("PRUNED", 0) == TRIALS
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    found, other = (read_report(one.parent / "runs/tiny-search/search.json") for one in (cut, whole))
    assert found.cut_off == 1 and without_time(found) == without_time(other)
    assert {file.name for file in (folder / "figures").iterdir()} >= {
        "history.png",
        "slices.png",
        "parallel.png",
    }
    assert load_recipe(folder / "best.yaml").name == "tiny-tuned" and not (folder / "checkpoints").exists()
    more = run(packages, cut, "--trials", str(TRIALS + 1))
    assert more.returncode == 0 and f"{TRIALS + 1} trials looked at" in more.stdout, more.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_study_does_what_its_own_tests_say(packages: dict[str, str]) -> None:
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/tuning/test_study.py"]
    done = subprocess.run(tests, cwd=tiny.ROOT, capture_output=True, text=True, check=False, env=packages)
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout
