from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import HfApi

import hub_push
from publishing.errors import PublishError
from publishing.hub.remote import Target
from publishing.options import PushOptions
from publishing.package.parcel import pack_release
from publishing.push import Push
from publishing.rollback import roll_back
from tests.publishing.conftest import Publisher, order


def test_a_commit_whose_answer_is_lost_is_found_not_repeated(publisher: Publisher, faults: str) -> None:
    order(faults, method="POST", path="/commit/", status=504, after=True)
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "published"
    assert len(publisher.commits()) == 2


def test_a_private_repository_and_another_branch(publisher: Publisher, api: HfApi) -> None:
    publisher.publish(private=True)
    assert api.repo_info(publisher.repo_id).private
    api.create_branch(publisher.repo_id, branch="next")
    before = publisher.reader.head(publisher.target)
    publisher.change("A new sentence.")
    branch = Target(publisher.repo_id, revision="next")
    parcel = pack_release(publisher.run, branch, None)
    receipt = hub_push.publish(
        Push(parcel, PushOptions(proof="files", confirm=False), publisher.reader)
    ).receipt
    assert receipt is not None and receipt.tag is None
    assert publisher.reader.head(publisher.target) == before
    assert publisher.reader.read(branch).head == receipt.commit != before
    with pytest.raises(PublishError, match="@nowhere: has no such branch; create it on the Hub"):
        publisher.reader.read(Target(publisher.repo_id, revision="nowhere"))


def test_a_pull_request_leaves_main_alone(publisher: Publisher) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    receipt = publisher.publish(pull_request=True).receipt
    assert receipt is not None and receipt.pull_request == 1 and receipt.tag is None
    assert publisher.reader.head(publisher.target) == receipt.parent != receipt.commit


def test_a_pull_request_is_opened_once(publisher: Publisher, api: HfApi, faults: str) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    order(faults, method="POST", path="/commit/", status=504, after=True)
    first = publisher.publish(pull_request=True).receipt
    assert first is not None and first.pull_request == 1
    assert publisher.publish(pull_request=True).receipt is None
    api.change_discussion_status(publisher.repo_id, 1, new_status="closed")
    second = publisher.publish(pull_request=True).receipt
    assert second is not None and second.pull_request == 2
    with pytest.raises(PublishError, match="is about pull request 2, which has not changed anything"):
        roll_back(second, publisher.run, publisher.reader)


def test_a_pull_request_that_breaks_off_is_found_and_written_down(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish()
    publisher.change("A new sentence.")
    create = HfApi.create_commit

    def interrupted(self: HfApi, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(HfApi, "create_commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publisher.publish(pull_request=True)
    receipt = publisher.receipts()[-1]
    assert (receipt.state, receipt.pull_request) == ("interrupted", 1) and receipt.commit is not None
