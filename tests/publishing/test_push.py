from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

import hub_push
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.options import PushOptions
from publishing.package.parcel import pack_release
from publishing.push import Push
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


@pytest.mark.parametrize("name", ["metrics.json", "tokenizer_config.json"])
def test_other_content_under_a_taken_tag_is_refused_before_anything_is_sent(
    publisher: Publisher, name: str
) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    path = publisher.run / "release" / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(PublishError, match=rf"v0\.1\.0 is published already.*files differ \({name}\)"):
        publisher.publish()
    assert len(publisher.commits()) == 2


def test_words_change_under_a_tag_that_stays(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    first = publisher.publish().receipt
    assert first is not None
    for sentence in ("A new sentence.", "And another."):
        publisher.change(sentence)
        receipt = publisher.publish().receipt
        assert f"v0.1.0 stays on {str(first.commit)[:8]}, where the weights are" in capsys.readouterr().err
        assert receipt is not None and receipt.state == "published" and receipt.tag is None
        assert publisher.reader.read(publisher.target).tags == {"v0.1.0": first.commit}
    assert publisher.publish().receipt is None and len(publisher.commits()) == 4
    path = publisher.run / "release" / "tokenizer_config.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    publisher.publish(tag=False)  # what is published now is no longer what the tag stands for
    publisher.change("A third.")
    with pytest.raises(PublishError, match=r"files differ \(tokenizer_config\.json\)"):
        publisher.publish()


def test_a_space_that_comes_later_is_no_new_version(publisher: Publisher) -> None:
    publisher.publish()
    parcel = pack_release(publisher.run, publisher.target, "ann/later-demo")
    options = PushOptions(proof="files", confirm=False)
    plan = hub_push.publish(Push(parcel, options, publisher.reader)).plan
    changed = {file.path for file in plan.of("add", "change", "delete")}
    assert {"recipe.yaml"} <= changed <= {"recipe.yaml", "README.md"} and plan.tag is None and plan.notes


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
    with pytest.raises(PublishError, match="tag: failed 3 times, the last time with: 503"):
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
    with pytest.raises(PublishError, match=r"412.*run again to publish it"):
        publisher.publish(tag=False, confirm=True)
    assert publisher.commits()[0] == "mine first" and publisher.receipts()[-1].commit is None
    monkeypatch.undo()
    connect(publisher.reader.connection.endpoint, WRITE, Timeouts(5, 5))
    receipt = publisher.publish(tag=False).receipt
    assert receipt is not None and receipt.state == "published"
    assert len(publisher.commits()) == 4
