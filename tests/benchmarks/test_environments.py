"""Environments of other processes are made once, however many tests ask for them at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import environments


def test_two_at_once_make_one_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / ".envs")
    made = []

    def make(_: int) -> None:
        with environments._made_once(tmp_path / ".envs" / "one") as is_new:
            if is_new:
                (tmp_path / ".envs" / "one").mkdir()
                made.append(is_new)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert made == [True]


def test_an_environment_that_could_not_be_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    with pytest.raises(OSError, match="full"), environments._made_once(tmp_path / "one"):
        (tmp_path / "one").mkdir()
        raise OSError("the disk is full")
    with environments._made_once(tmp_path / "one") as is_new:
        assert is_new and not (tmp_path / "one").exists()
        (tmp_path / "one").mkdir()
    with environments._made_once(tmp_path / "one") as is_new:
        assert not is_new


def write_wheel(folder: Path, name: str, needs: str) -> Path:
    """Write a wheel of one module that needs another package, and return the requirements that name it."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(f"{name}.py", "import numpy\n")
        file.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: {needs}\n",
        )
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel}\n", encoding="utf-8")
    return requirements


def test_packages_on_top_bring_only_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / ".envs")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # so numpy can only be found here
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / ".envs" / "other" / "site-packages")])
    folder = environments.packages_on_top(write_wheel(tmp_path, "on_top", "numpy"))
    assert (folder / "on_top.py").is_file() and not (folder / "numpy").exists()
    assert not (folder / "pip").exists() and str(tmp_path) not in (folder / "beside.pth").read_text("utf-8")
    found = subprocess.run(
        [sys.executable, "-c", "import on_top; print(on_top.__file__)"],
        env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == str(folder / "on_top.py")
    with pytest.raises(subprocess.CalledProcessError):
        environments.python_environment(write_wheel(tmp_path, "alone", "numpy"))
