from __future__ import annotations

import json

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from finsent.recipe.file import read_released_recipe
from finsent.release import CARD, ENDPOINT_FILES, METRICS, RECIPE
from model_card.card.build import build_card
from model_card.measure.metrics_file import read_metrics
from publishing.errors import PublishError
from publishing.proof.verify import Depth, check_names, proving, raise_if_failed, verify_published
from publishing.receipt import Check
from tests import tiny
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
    assert [(check.name, check.state) for check in receipt.checks] == [
        ("files", "ok"), ("load", "ok"), ("handler", "ok"),
    ]  # fmt: skip
    assert publisher.publish(proof="load").receipt is None and len(publisher.commits()) == 2


@pytest.mark.parametrize(
    ("repo_type", "depth", "has_handler", "names"),
    [
        ("model", "files", True, ("files",)),
        ("model", "load", False, ("files", "load")),
        ("model", "load", True, ("files", "load", "handler")),
        ("model", "full", False, ("files", "load", "card")),
        ("model", "full", True, ("files", "load", "handler", "card")),
        ("dataset", "files", False, ("files",)),
        ("dataset", "full", False, ("files", "rows")),
    ],
)
def test_how_deep_a_proof_goes(
    repo_type: str, depth: Depth, has_handler: bool, names: tuple[str, ...]
) -> None:
    assert check_names(repo_type, depth, has_handler) == names


def test_only_a_check_that_failed_ends_the_push() -> None:
    for state in ("ok", "not run"):
        raise_if_failed(Check(name="load", state=state), "a" * 40)
    with pytest.raises(PublishError, match=r"^aaaaaaaa is published, but load failed: why; fix it and push"):
        raise_if_failed(Check(name="load", state="failed", detail="why"), "a" * 40)


def test_a_proof_that_breaks_off_says_that_it_is_published_and_a_bug_does_not() -> None:
    told = "^aaaaaaaa is published, but the proof was interrupted: no answer; run the same command again"
    with pytest.raises(PublishError, match=told), proving("a" * 40):
        raise PublishError("no answer")
    with pytest.raises(PublishError, match=r"is there enough space in .*TMPDIR"), proving("a" * 40):
        raise OSError("No space left")
    with pytest.raises(ZeroDivisionError), proving("a" * 40):
        raise ZeroDivisionError


def test_a_release_from_before_there_was_a_handler_is_published_and_leaves_the_one_there(
    publisher: Publisher,
) -> None:
    publisher.publish()
    release = publisher.run / "release"
    for name in ENDPOINT_FILES:
        (release / name).unlink()
    tree = tiny.read_json(release / METRICS)
    del tree["runtimes"]
    (release / METRICS).write_text(json.dumps(tree), encoding="utf-8")
    card = build_card(read_released_recipe(release / RECIPE), read_metrics(release / METRICS))
    (release / CARD).write_text(card, encoding="utf-8")
    receipt = publisher.publish(tag=False).receipt
    assert receipt is not None and receipt.state == "published"
    assert set(ENDPOINT_FILES) <= set(publisher.reader.read(publisher.target).files)
    assert publisher.publish(tag=False).receipt is None
