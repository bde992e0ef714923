from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.model import ServedModel, load_model
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
