"""Every test runs offline: a home of its own for the Hub's client, no token, and no socket but loopback."""

from __future__ import annotations

import os
import shutil
import tempfile

_HOME = tempfile.mkdtemp(prefix="finsent-tests-")
os.environ.update(
    HF_HOME=_HOME,
    HF_HUB_OFFLINE="0",  # the clients are driven against servers on loopback
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_DATASETS_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",  # the models are tiny; more threads only wait for each other
)
for _name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "FINSENT_MIRROR"):
    os.environ.pop(_name, None)

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from tests import tiny

# In the Space its modules import each other by bare names; behind everything else, so that they hide nothing.
sys.path.append(str(tiny.ROOT / "space"))

_connect = socket.socket.connect


def _connect_on_loopback(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and str(address[0]) not in ("127.0.0.1", "localhost", "::1"):
        raise AssertionError(f"a test tried to reach {address}; tests stay on loopback")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(socket.socket, "connect", _connect_on_loopback)
    yield


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer BERT with random weights, saved as the Hub has it."""
    return tiny.save_encoder(tmp_path_factory.mktemp("base") / "tiny-bert", "bert")


@pytest.fixture
def tiny_recipe(tmp_path: Path, tiny_base: Path) -> Recipe:
    """A recipe over 90 rows written into a folder of this test and the tiny encoder."""
    return load_recipe(tiny.write_recipe(tmp_path, tiny_base))


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A whole release made by train.py from the tiny recipe; tests must not change it."""
    folder = tmp_path_factory.mktemp("release")
    return tiny.train_release(tiny.write_recipe(folder, tiny_base), folder / "runs")


@pytest.fixture
def teacher_release(tiny_release: Path, tmp_path: Path) -> Path:
    """A copy of the tiny release, beside which a test may leave answers."""
    return Path(shutil.copytree(tiny_release, tmp_path / "teacher" / "release"))
