"""The demo runs as it does in a Space: as a process in a folder of its own, on loopback."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from batch import BatchRun, Result
from model import Model, load_model
from table import Table

from benchmarks.browser.chromium import chromium, transformers_js
from benchmarks.environments import free_port, python_environment
from inference.classifier import Classifier
from publishing.space.forms import Subject, write_form
from publishing.space.preview import LOCAL_LIBRARY, LOCAL_MODEL, app_environment, page_roots, serving
from tests.tiny import ROOT

SPACE = ROOT / "space"
SUBJECT = Subject(
    model="finsent/demo",
    revision="0123456789abcdef0123456789abcdef01234567",
    title="finsent demo",
    summary="Tells whether a headline is negative, neutral or positive.",
    licence="apache-2.0",
)
# The settings of a static form whose model and library lie beside it.
LOCAL = LOCAL_MODEL | LOCAL_LIBRARY


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> Path:
    """The release that FINSENT_RELEASE names, or a tiny one."""
    named = os.environ.get("FINSENT_RELEASE")
    folder = Path(named) if named else request.getfixturevalue("tiny_release")
    assert folder.is_dir(), f"FINSENT_RELEASE: {folder} is no folder"
    return Path(folder).resolve()


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@dataclass(frozen=True)
class Demo:
    """A running app: its address, its process, and the seconds until it answered."""

    address: str
    process: subprocess.Popen[bytes]
    seconds: float


@contextlib.contextmanager
def running_demo(
    python: Path | str, folder: Path, release: Path, log: Path, more: dict[str, str] | None = None
) -> Iterator[Demo]:
    """Start app.py of `folder` with `more` in its environment, wait until it answers, end it afterwards."""
    port = free_port()
    environment = app_environment(release, log.parent, port) | {"HF_HUB_OFFLINE": "1", **(more or {})}
    address, started = f"http://127.0.0.1:{port}", time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(python), "app.py"], cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _wait(address, process, log)
            yield Demo(address, process, time.perf_counter() - started)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError("the app did not answer within two minutes")


@pytest.fixture(scope="session")
def demo(release: Path, space_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The app as it is sent, run by this Python."""
    log = tmp_path_factory.mktemp("demo") / "app.log"
    with running_demo(sys.executable, space_folder, release, log) as running:
        yield running


@pytest.fixture(scope="session")
def space_python() -> Path:
    """The Python of an environment that holds the Space's requirements.txt and nothing else."""
    return python_environment(SPACE / "requirements.txt")


@pytest.fixture(scope="session")
def space_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Gradio form, written as it is uploaded: without the project around it."""
    folder = tmp_path_factory.mktemp("gradio-form")
    write_form("gradio", SUBJECT, folder)
    return folder


@pytest.fixture(scope="session")
def installed_demo(
    space_python: Path, space_folder: Path, release: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """The Gradio form as a Space runs it: its own folder, its own environment."""
    log = tmp_path_factory.mktemp("installed") / "app.log"
    with running_demo(space_python, space_folder, release, log) as running:
        yield running


@pytest.fixture(scope="module")
def site(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """The static form on loopback: its address, and the paths that were asked for."""
    folder = tmp_path_factory.mktemp("static-form")
    write_form("static", SUBJECT, folder, LOCAL)
    with serving(page_roots(folder, release, SUBJECT, transformers_js())) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


ROWS: list[list[Any]] = [
    ["a", "Profit rose at the mill"],
    ["b", ""],
    ["c", "=cmd|'/C calc'!A0"],
    ["d", None],
    ["e", 7],
    ["f", "x" * 10_001],
    ["g", "Loss widened <b>sharply</b>"],
    ["h", "\ud800 lone"],
    ["-5.5", "-2.1 points lost"],
]


@pytest.fixture(scope="module")
def classifier(release: Path) -> Classifier:
    return Classifier(release)


@pytest.fixture
def result(classifier: Classifier, tmp_path: Path) -> Result:
    """ROWS, classified and written."""
    run = BatchRun(classifier, Table(["id", "text"], ROWS), "text")
    assert list(run.steps())[-1] == run.total == 5
    return run.write(tmp_path / "out", threshold=0.5)


@pytest.fixture(scope="module")
def model(release: Path) -> Model:
    return load_model(str(release))
