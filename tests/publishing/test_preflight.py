from __future__ import annotations

from pathlib import Path

import pytest

from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader
from tests.publishing.conftest import OTHER, QUICK, READ, WRITE, Publisher


@pytest.mark.parametrize(
    ("token", "repo_id", "message"),
    [
        (READ, "ann/x", "can only read"),
        (OTHER, "ann/x", "bob may not write to 'ann', only to bob, desk"),
        (WRITE, "nowhere/x", "may not write to 'nowhere'"),
        ("hf_" + "u" * 30, "ann/x", "is refused by"),
    ],
)
def test_the_preflight_ends_in_one_line(
    server: RunningHub, run: Path, token: str, repo_id: str, message: str
) -> None:
    reader = Reader(connect(server.endpoint, token, Timeouts(5, 5)), QUICK)
    with pytest.raises(PublishError, match=message) as caught:
        Publisher(reader, run, repo_id).publish()
    assert "\n" not in str(caught.value) and token not in str(caught.value)
    assert not (run / "receipts").exists()


def test_a_hub_that_does_not_answer(run: Path) -> None:
    reader = Reader(connect("http://127.0.0.1:9", WRITE, Timeouts(1, 1)), QUICK)
    with pytest.raises(PublishError, match=r"does not answer .*nothing was sent"):
        Publisher(reader, run, "ann/x").publish()
