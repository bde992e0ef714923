"""The Space's folder copied alone into an empty environment with its own requirements starts and answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inference.classifier import Classifier
from tests.space.conftest import Demo
from tests.space.test_load import call

pytestmark = pytest.mark.slow

LISTING = "import importlib.metadata as m, json; print(json.dumps([d.name for d in m.distributions()]))"
IMPORT = "import time; t = time.perf_counter(); import inference.classifier; print(time.perf_counter() - t)"


def test_it_answers_without_torch_and_transformers(
    installed_demo: Demo, space_python: Path, release: Path
) -> None:
    listed = subprocess.run([space_python, "-c", LISTING], capture_output=True, text=True, check=True).stdout
    names = {name.lower() for name in json.loads(listed)}
    assert names.isdisjoint({"torch", "transformers", "optimum", "datasets"})
    assert {"gradio", "mcp", "openpyxl"} <= names
    [answer] = call(installed_demo.address, "classify", "Profit rose")  # type: ignore[misc]
    assert answer["label"] == Classifier(release)("Profit rose").label


def test_the_requirements_are_all_that_is_installed(space_python: Path, space_folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(space_python), "--disable-pip-version-check"]
    check = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
    frozen = subprocess.run([*pip, "freeze"], capture_output=True, text=True, check=True).stdout
    wanted = (space_folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(frozen.lower().split()) == sorted(line.lower() for line in wanted if "==" in line)


def test_the_classifier_alone_is_imported_in_a_second(space_python: Path, space_folder: Path) -> None:
    runs = [
        subprocess.run(
            [space_python, "-c", IMPORT], cwd=space_folder, capture_output=True, text=True, check=True
        )
        for _ in range(3)
    ]
    assert min(float(run.stdout) for run in runs) < 1


def test_a_model_that_is_nowhere_ends_the_start_with_its_name(space_python: Path, space_folder: Path) -> None:
    done = subprocess.run(
        [space_python, "app.py"],
        cwd=space_folder,
        env={"MODEL_ID": "./typo", "PATH": "", "HOME": str(space_folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "MODEL_ID: './typo' is neither a folder nor a Hub id" in done.stderr
