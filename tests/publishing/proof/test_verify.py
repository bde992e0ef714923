from __future__ import annotations

from huggingface_hub import CommitOperationAdd, HfApi

from publishing.proof.verify import verify_published
from tests.publishing.conftest import Publisher


def states(publisher: Publisher) -> dict[str, str]:
    checks = verify_published(publisher.target, publisher.reader, "load")
    return {check.name: check.state for check in checks}


def test_verify_proves_without_the_run_and_notices_a_changed_model(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    assert states(publisher) == {"files": "ok", "measured": "ok", "load": "ok"}
    quantized = publisher.parcel().manifest.content("onnx/model_quantized.onnx")
    wrong = CommitOperationAdd("onnx/model_quantized.onnx", quantized[:-100])
    api.create_commit(publisher.repo_id, [wrong], commit_message="break it")
    assert states(publisher)["measured"] == "failed"


def test_a_deeper_proof_is_made_up_for(publisher: Publisher) -> None:
    publisher.publish()
    receipt = publisher.publish(proof="load").receipt
    assert receipt is not None and receipt.state == "unchanged"
    assert [check.name for check in receipt.checks] == ["files", "load"]
    assert publisher.publish(proof="load").receipt is None and len(publisher.commits()) == 2
