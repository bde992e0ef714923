from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.receipt import Receipt
from publishing.rollback import plan_rollback, roll_back
from publishing.space.forms import PIN
from publishing.space.variables import MODEL_REVISION
from tests.publishing.conftest import Publisher, order
from tests.publishing.small_space import reader_of, space_of
from tests.publishing.test_receipt import OF_0_1_0


def test_rollback_restores_the_tree_before_as_a_new_commit(publisher: Publisher) -> None:
    first = publisher.publish().receipt
    before = publisher.reader.read(publisher.target)
    publisher.change("A sentence to regret.")
    second = publisher.publish(tag=False).receipt
    assert first is not None and second is not None
    undone = roll_back(second, publisher.run, publisher.reader)
    after = publisher.reader.read(publisher.target)
    assert after.files == before.files and after.head == undone.commit
    assert publisher.commits()[0] == f"Roll back to {str(first.commit)[:8]}" and len(publisher.commits()) == 4
    with pytest.raises(PublishError, match="would also undo what came after it"):
        roll_back(second, publisher.run, publisher.reader)


def test_a_rollback_that_breaks_off_leaves_a_receipt(publisher: Publisher, faults: str) -> None:
    first = publisher.publish().receipt
    publisher.change("A sentence to regret.")
    second = publisher.publish(tag=False).receipt
    assert first is not None and second is not None
    order(faults, method="HEAD", path=f"/{publisher.repo_id}/resolve/", status=503, n=50)
    with pytest.raises(PublishError, match=r"read back .*: failed 3 times"):
        roll_back(second, publisher.run, publisher.reader)
    receipt = publisher.receipts()[-1]
    assert receipt.state == "failed" and receipt.parent == second.commit
    assert receipt.commit == publisher.reader.head(publisher.target) != first.commit


def test_the_first_publication_cannot_be_rolled_back(publisher: Publisher) -> None:
    receipt = publisher.publish().receipt
    assert receipt is not None
    with pytest.raises(PublishError, match="the first push"):
        roll_back(receipt, publisher.run, publisher.reader)


def test_a_rollback_points_a_static_page_back(free_account: RunningHub, run: Path, demo: Path) -> None:
    publisher = Publisher(reader_of(free_account), run, "ann/back")
    publisher.publish(space=space_of(publisher, demo))
    publisher.change("A sentence to regret.")
    receipt = publisher.publish(space=space_of(publisher, demo), tag=False).receipt
    assert receipt is not None
    undone = roll_back(receipt, run, publisher.reader)
    space = Target("ann/back-demo", "space")
    assert str(undone.commit) in (publisher.reader.content(space, "model.json", "main") or b"").decode()
    assert undone.space is not None and undone.space.commit == publisher.reader.head(space)
    last = publisher.reader.read(space).last_push
    assert last is not None and last.card is not None  # its card is still known as unedited


def test_a_rollback_points_an_app_back(publisher: Publisher, demo: Path) -> None:
    publisher.publish(space=space_of(publisher, demo))
    publisher.change("A sentence to regret.")
    receipt = publisher.publish(space=space_of(publisher, demo), tag=False).receipt
    assert receipt is not None
    undone = roll_back(receipt, publisher.run, publisher.reader)
    space = Target(f"{publisher.repo_id}-demo", "space")
    variables = publisher.reader.connection.api.get_space_variables(space.repo_id)
    assert variables[MODEL_REVISION].value == undone.commit
    assert str(undone.commit) in (publisher.reader.content(space, PIN, "main") or b"").decode()


def test_a_hub_of_this_machine_that_is_gone_may_have_been_local(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Retries(tries=1, settle=0, sleep=lambda seconds: None)
    reader = Reader(connect("http://127.0.0.1:9", "hf_x", Timeouts(1, 1)), once)
    receipt = Receipt.model_validate(OF_0_1_0)
    with pytest.raises(PublishError, match=r"nothing is listening there.*; use --local to undo a push"):
        plan_rollback(receipt, reader)
    monkeypatch.setattr("publishing.rollback.is_loopback", lambda endpoint: False)
    with pytest.raises(PublishError) as told:
        plan_rollback(receipt, reader)
    assert "--local" not in str(told.value)


@pytest.mark.parametrize("changes", [{"commit": None}, {"parent": None}, {"commit": "b" * 40}])
def test_a_receipt_of_no_commit_undoes_nothing(changes: dict[str, Any]) -> None:
    receipt = Receipt.model_validate(OF_0_1_0 | changes)
    reader = cast("Reader", Unmoved())
    with pytest.raises(PublishError, match="has no commit, so there is nothing to undo"):
        plan_rollback(receipt, reader)
    with pytest.raises(PublishError, match="is about pull request 3, which has not changed anything"):
        plan_rollback(receipt.with_(pull_request=3), reader)


class Unmoved:
    """A Hub on which nothing was renamed."""

    def current(self, target: Target) -> Target:
        return target
