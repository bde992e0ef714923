from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

import hub_push
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from tests.publishing.conftest import WRITE, Publisher, order


def test_a_push_is_one_commit_with_a_tag_and_a_receipt(publisher: Publisher, api: HfApi) -> None:
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "published" and receipt.tag == "v0.1.0"
    assert publisher.commits() == [
        f"Publish {publisher.repo_id.partition('/')[2]} 0.1.0: {len(receipt.files)} files", "initial commit"
    ]  # fmt: skip
    remote = publisher.reader.read(publisher.target)
    assert remote.head == receipt.commit == remote.tags["v0.1.0"]
    assert remote.holds(publisher.parcel().manifest)
    assert [(check.name, check.state) for check in receipt.checks] == [("files", "ok")]
    assert publisher.receipts() == [receipt]


def test_the_same_again_changes_nothing(publisher: Publisher) -> None:
    publisher.publish()
    before = publisher.commits()
    outcome = publisher.publish()
    assert outcome.receipt is None and outcome.plan.is_empty
    assert publisher.commits() == before and len(publisher.receipts()) == 1


def test_a_dry_run_sends_nothing(publisher: Publisher) -> None:
    outcome = publisher.publish(dry_run=True)
    assert {change.action for change in outcome.plan.files} == {"add"}
    assert publisher.reader.head(publisher.target) is None and publisher.receipts() == []


def test_other_content_under_a_taken_tag_is_refused_before_anything_is_sent(publisher: Publisher) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    with pytest.raises(PublishError, match=r"v0\.1\.0 is published already"):
        publisher.publish()
    assert len(publisher.commits()) == 2


def test_a_change_sends_only_what_changed_and_keeps_foreign_files(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    added = [CommitOperationAdd("notebook.ipynb", b"{}"), CommitOperationAdd("onnx/model_q4.onnx", b"\0old")]
    api.create_commit(publisher.repo_id, added, commit_message="by hand")
    publisher.change("A new sentence.")
    plan = publisher.publish(tag=False).plan
    actions = {change.path: change.action for change in plan.files if change.action != "same"}
    assert actions == {
        ".gitattributes": "keep", "notebook.ipynb": "keep",
        "README.md": "change", "onnx/model_q4.onnx": "delete",
    }  # fmt: skip
    files = publisher.reader.read(publisher.target).files
    assert "notebook.ipynb" in files and "onnx/model_q4.onnx" not in files


def test_a_tag_that_somebody_put_elsewhere_meanwhile_is_told(
    publisher: Publisher, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create_repo(publisher.repo_id)
    initial = publisher.reader.head(publisher.target)
    monkeypatch.setattr(hub_push, "confirm", lambda question: api.create_tag(publisher.repo_id, tag="v0.1.0"))
    with pytest.raises(PublishError, match=r"is published, but v0\.1\.0 was put on"):
        publisher.publish(confirm=True)
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and receipt.tag is None
    assert publisher.reader.read(publisher.target).tags == {"v0.1.0": initial}


def test_an_interrupted_tag_is_made_by_the_next_run(publisher: Publisher, faults: str) -> None:
    order(faults, method="POST", path="/tag/", status=503, n=3)
    with pytest.raises(PublishError, match="tag: failed 3 times, at last with: 503"):
        publisher.publish()
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and receipt.tag is None
    assert publisher.publish().receipt is not None
    assert publisher.reader.read(publisher.target).tags == {"v0.1.0": receipt.commit}
    assert len(publisher.commits()) == 2


def test_somebody_else_commits_in_between(
    publisher: Publisher, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish()
    publisher.change("A new sentence.")

    def meanwhile(question: str) -> None:
        api.create_commit(publisher.repo_id, [CommitOperationAdd("a.txt", b"1")], commit_message="mine first")

    monkeypatch.setattr(hub_push, "confirm", meanwhile)
    with pytest.raises(PublishError, match=r"412.*run again to go on"):
        publisher.publish(tag=False, confirm=True)
    assert publisher.commits()[0] == "mine first" and publisher.receipts()[-1].commit is None
    monkeypatch.undo()
    connect(publisher.reader.connection.endpoint, WRITE, Timeouts(5, 5))
    receipt = publisher.publish(tag=False).receipt
    assert receipt is not None and receipt.state == "published"
    assert len(publisher.commits()) == 4
