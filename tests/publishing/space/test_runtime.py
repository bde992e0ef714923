from __future__ import annotations

from pathlib import Path

import pytest

from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.retries import Retries
from tests.publishing.conftest import Publisher
from tests.publishing.small_space import reader_of, space_of


def test_an_app_that_dies_is_told_with_its_log(running_spaces: RunningHub, run: Path, demo: Path) -> None:
    (demo / "app.py").write_text("raise SystemExit('no such model here')\n", encoding="utf-8")
    publisher = Publisher(reader_of(running_spaces, Retries()), run, "ann/broken")
    with pytest.raises(
        PublishError, match=r"is published, but space failed: RUNTIME_ERROR[\s\S]*no such model"
    ):
        publisher.publish(space=space_of(publisher, demo))
    assert publisher.receipts()[-1].commit is not None


def test_a_hub_that_runs_no_spaces(publisher: Publisher, demo: Path) -> None:
    receipt = publisher.publish(space=space_of(publisher, demo)).receipt
    assert receipt is not None and receipt.checks[-1].state == "not run"
