"""Which Pythons are supported is said in pyproject.toml alone; whatever else names one says the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from finsent import REPOSITORY
from publishing.space.forms import python_version

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST, BEYOND = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
THIS = sys.version_info.minor
# A Python that answers -c and stops before it makes an environment.
STOPPING = '#!/bin/sh\n[ "$1" = -c ] || exit 7\nexec "{python}" "$@"\n'


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_readme_names_the_oldest_and_the_newest() -> None:
    assert f"Python 3.{OLDEST} to 3.{int(BEYOND) - 1} with venv" in read("README.md")


def test_types_are_checked_for_the_oldest_and_lint_follows_the_project() -> None:
    assert PROJECT["tool"]["mypy"]["python_version"] == f"3.{OLDEST}"
    assert "target-version" not in PROJECT["tool"]["ruff"]  # ruff takes it from requires-python


def test_spaces_and_images_run_the_oldest() -> None:
    assert python_version() == f"3.{OLDEST}"
    for name in ("serving/Dockerfile", "space/Dockerfile"):
        assert f"python:3.{OLDEST}-slim" in read(name), name


@pytest.mark.parametrize(
    ("allowed", "is_refused"),
    [
        (f">=3.{OLDEST},<3.{BEYOND}", False),
        (f">=3.{THIS},<3.{THIS + 1}", False),
        (f">=3.{THIS + 1},<3.{THIS + 9}", True),
        (f">=3.2,<3.{THIS}", True),
    ],
)
def test_make_refuses_another_python_before_it_installs(
    allowed: str, is_refused: bool, tmp_path: Path
) -> None:
    for name in ("Makefile", "requirements.txt", "requirements.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "pyproject.toml").write_text(f'requires-python = "{allowed}"\n', encoding="utf-8")
    python = tmp_path / "python"
    python.write_text(STOPPING.format(python=sys.executable), encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "--directory", str(tmp_path), ".venv/.installed", f"PYTHON={python}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert ("Error 7" in done.stderr) is not is_refused
    told = f"got Python 3.{THIS}, allowed are 3."
    assert (told in done.stderr) is is_refused
    assert ("make release PYTHON=python3." in done.stderr) is is_refused
