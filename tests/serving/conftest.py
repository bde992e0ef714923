from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.model import ServedModel, load_model
from tests.containers import Engine, why_not
from tests.serving.servers import serving

TEXTS = [
    "Profit rose sharply on record orders",
    "The company cut its dividend",
    "",
    "Bank opens Monday " * 40,
    "AAPL beats forecast, shares fell 3 % – déjà vu 🚀",
]


@pytest.fixture(scope="session")
def model(tiny_release: Path) -> ServedModel:
    return load_model(str(tiny_release), name="tiny")


@pytest.fixture(scope="module")
def address(model: ServedModel) -> Iterator[str]:
    with serving(model) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def engine(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """podman with the base image and a clone; its store is gone afterwards."""
    if reason := why_not():
        pytest.skip(reason)
    engine = Engine(tmp_path_factory.mktemp("containers"))
    try:
        engine.check_out(tiny_release)
        engine.make_base()
        yield engine
    finally:
        engine.remove()
