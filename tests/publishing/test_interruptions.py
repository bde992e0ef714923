"""A push that is broken off by Ctrl-C at any request, and two publishers at once."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

import hub_push
from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.client import PatientAdapter
from tests.publishing.conftest import Publisher
from tests.publishing.faults import PUBLISHED, make_cell

POINTS = (2, 6, 8, 9, 10, 12, 14, 16, 18, 20, 22, 26, 34, 40, 46)  # the request at which a person gives up


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_ctrl_c_at_a_request(
    server: RunningHub, run: Path, demo: Path, point: int, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`after`: the server did the work and the answer is not seen any more."""
    cell = make_cell(server, run, f"ann/c{point}-{done}", demo)
    send, count, lock = PatientAdapter.send, [0], threading.Lock()

    def interrupted(self: PatientAdapter, *args: Any, **kwargs: Any) -> Any:
        with lock:
            count[0] += 1
            now = count[0] == point
        if now and not done:
            raise KeyboardInterrupt
        answer = send(self, *args, **kwargs)
        if now:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(PatientAdapter, "send", interrupted)
    error = cell.publish("files")
    monkeypatch.setattr(PatientAdapter, "send", send)
    assert isinstance(error, KeyboardInterrupt), f"only {count[0]} requests"
    cell.judge(error)
    assert cell.publish("files") is None
    assert cell.judge(None) == PUBLISHED


@pytest.mark.parametrize("again", [False, True], ids=["first", "later"])
def test_of_two_publishers_one_wins_and_the_other_is_told(
    publisher: Publisher, tmp_path: Path, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if again:
        publisher.publish()
    other = Publisher(publisher.reader, tmp_path / "other", publisher.repo_id)
    shutil.copytree(publisher.run / "release", other.run / "release")
    publisher.change("One sentence.")
    other.change("Another sentence.")
    both_planned = threading.Barrier(2, timeout=30)
    monkeypatch.setattr(hub_push, "confirm", lambda question: both_planned.wait())
    errors: dict[int, PublishError] = {}

    def go(one: Publisher) -> None:
        try:
            one.publish(tag=False, confirm=True)
        except PublishError as error:
            errors[id(one)] = error

    threads = [threading.Thread(target=go, args=(one,)) for one in (publisher, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(errors) == 1
    assert "run again to publish it" in str(next(iter(errors.values())))
    expected = 3 if again else 2
    assert len(publisher.commits()) == expected
    loser = publisher if id(publisher) in errors else other
    assert loser.publish(tag=False, card="ours").receipt is not None
    assert len(publisher.commits()) == expected + 1
