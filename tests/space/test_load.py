"""Many at once: no call fails, the memory stays flat, and a table of 100,000 rows goes through."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.space.conftest import Demo, running_demo

pytestmark = pytest.mark.slow

USERS = 50
SECONDS = float(os.environ.get("FINSENT_LOAD_SECONDS", "60"))
WARM_UP_SECONDS = SECONDS / 3  # until as many sessions are kept as ever will be
GROWTH_BYTES = 60_000_000  # allocators keep some; a leak of these calls would be many times this
TEXTS = [
    "Operating profit rose to EUR 8.1 mn from EUR 5.4 mn a year earlier.",
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    "x" * 9_999,
    "한국 증시 상승",
]


@pytest.fixture(scope="module")
def loaded(
    space_python: Path, space_folder: Path, release: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    log = tmp_path_factory.mktemp("load") / "app.log"
    with running_demo(space_python, space_folder, release, log) as running:
        yield running


def call(address: str, name: str, value: object) -> object:
    """Call an endpoint over plain HTTP, as the curl snippet does; AssertionError when it fails."""
    body = json.dumps({"data": [value]}).encode()
    request = urllib.request.Request(
        f"{address}/gradio_api/call/{name}", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        event = json.loads(answer.read())["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/{name}/{event}", timeout=60) as answer:
        told = answer.read().decode()
    assert "event: complete" in told, told[-500:]
    return json.loads(told.rpartition("data: ")[2])


class User(threading.Thread):
    """Calls one endpoint after another with the pauses of a person, until the time is over."""

    def __init__(self, number: int, address: str, until: float) -> None:
        super().__init__(daemon=True)
        self.chance, self.address, self.until = random.Random(number), address, until
        self.seconds: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        while time.monotonic() < self.until:
            name = self.chance.choices(["classify", "explain_words", "classify_batch"], [6, 2, 1])[0]
            text = self.chance.choice(TEXTS)
            started = time.perf_counter()
            try:
                call(self.address, name, [text] * 20 if name == "classify_batch" else text)
            except Exception as error:  # every failure counts, whatever it is
                self.errors.append(f"{name}: {error!r}")
            self.seconds.append(time.perf_counter() - started)
            time.sleep(self.chance.uniform(0.5, 2.5))


def test_fifty_users_get_their_answers_and_the_memory_stays_flat(
    loaded: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    process = psutil.Process(loaded.process.pid)
    started = time.monotonic()
    users = [User(number, loaded.address, started + SECONDS) for number in range(USERS)]
    for user in users:
        user.start()
    time.sleep(WARM_UP_SECONDS)
    before = process.memory_info().rss
    for user in users:
        user.join(SECONDS + 120)
    assert not any(user.is_alive() for user in users)
    grown = process.memory_info().rss - before
    took = np.array([second for user in users for second in user.seconds])
    with capsys.disabled():
        print(
            f"\n{USERS} users, {SECONDS:.0f} s: {len(took)} calls, p50 {np.median(took):.3f} s, "
            f"p95 {np.quantile(took, 0.95):.3f} s, memory {before / 1e6:.0f} MB then {grown / 1e6:+.1f} MB"
        )
    assert [error for user in users for error in user.errors] == []
    assert len(took) >= USERS
    assert grown < GROWTH_BYTES
