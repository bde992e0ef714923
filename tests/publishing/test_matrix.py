"""Every request of a push broken in every way, over the wire, with the real client and a two-layer model."""

from __future__ import annotations

import shutil
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import file_download
from huggingface_hub.utils import _http

from local_hub import RunningHub
from publishing.package import check as lint
from tests.publishing.faults import DELAY, FAULTS, PUBLISHED, STEPS, TIMES, make_cell, table

LOADED = "commit"  # the step whose cells are also proved by loading the model


@pytest.fixture(scope="module")
def endings() -> Iterator[dict[tuple[str, str, str], str]]:
    found: dict[tuple[str, str, str], str] = {}
    yield found
    print(f"\n{table(found)}")


@pytest.fixture(autouse=True)
def _impatient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits seconds between its own tries; here it need not."""
    quick = types.SimpleNamespace(**{**vars(time), "sleep": lambda seconds: time.sleep(0.01)})
    monkeypatch.setattr(_http, "time", quick)
    monkeypatch.setattr(file_download, "time", quick)
    monkeypatch.setattr(lint, "lint_card", lambda *release: [])  # half a second a push, and no request


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_broken_request(
    server: RunningHub,
    tiny_release: Path,
    tmp_path: Path,
    demo: Path,
    step: str,
    fault: str,
    endings: dict[tuple[str, str, str], str],
) -> None:
    for times in TIMES:
        run = tmp_path / times / "tiny"
        shutil.copytree(tiny_release, run / "release")
        name = f"ann/m{list(STEPS).index(step)}-{list(FAULTS).index(fault)}-{times}"
        proof = "load" if step == LOADED and times == "once" else "files"
        settle = DELAY if fault == "late" else 0.1
        ending = make_cell(server, run, name, demo, settle).run(step, fault, times, proof)
        endings[step, fault, times] = ending
        if times == "once":
            assert ending == PUBLISHED, "one failure must not end a push"
