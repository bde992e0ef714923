from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi

from publishing.errors import PublishError
from publishing.hub.connection import Connection
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.journal import Journal
from publishing.receipt import Receipt, read_receipt
from tests.publishing.test_receipt import OF_0_1_0

TARGET, COMMIT, NOWHERE = Target("ann/quick"), "c" * 40, "http://127.0.0.1:9"
BEFORE = Receipt.model_validate(
    OF_0_1_0 | {"state": "failed", "commit": None, "commit_is_certain": True, "checks": [], "message": "x"}
)


class Hub(Reader):
    """A Hub that holds the commit of a push, or none, or that cannot be asked."""

    def __init__(self, holds: str | None = None, answers: bool = True) -> None:
        super().__init__(Connection(NOWHERE, HfApi(NOWHERE), "a test", "hf_secret"), Retries(tries=1))
        object.__setattr__(self, "found", (holds, answers))

    def find_push(self, target: Target, push: str) -> str | None:
        holds, answers = self.found  # type: ignore[attr-defined]
        if not answers:
            raise PublishError("read id: failed")
        assert (target, push) == (TARGET, BEFORE.push)
        return holds  # type: ignore[no-any-return]


def broken_off(run: Path, reader: Reader, error: BaseException, **noted: object) -> tuple[Receipt, str]:
    """Break a push off, and return the receipt that it left and the note on the error."""
    journal = Journal(BEFORE, run)
    with pytest.raises(type(error)) as caught, journal.kept_true(reader, TARGET):
        journal.note(**noted)
        raise error
    receipt = read_receipt(journal.path)
    assert receipt == journal.receipt
    return receipt, caught.value.__notes__[0]


def test_every_step_is_on_the_disk(tmp_path: Path) -> None:
    journal = Journal(BEFORE, tmp_path)
    assert read_receipt(journal.path) == BEFORE
    with journal.kept_true(Hub(), TARGET):
        journal.note(commit=COMMIT, state="published")
        assert read_receipt(journal.path).commit == COMMIT
    assert read_receipt(journal.path).state == "published"


def test_a_failure_leaves_what_it_says_without_the_token_and_what_the_hub_holds(tmp_path: Path) -> None:
    receipt, note = broken_off(
        tmp_path, Hub(COMMIT), PublishError("refused hf_secret"), commit_is_certain=False
    )
    assert (receipt.state, receipt.message) == ("failed", "refused ***")
    assert (receipt.commit, receipt.commit_is_certain) == (COMMIT, True)
    assert note == f"{tmp_path}/receipts/{BEFORE.created}.json says what is on the Hub"


def test_a_commit_that_is_known_is_not_asked_for(tmp_path: Path) -> None:
    receipt, _ = broken_off(tmp_path, Hub(answers=False), PublishError("proof failed"), commit=COMMIT)
    assert (receipt.commit, receipt.commit_is_certain) == (COMMIT, True)


@pytest.mark.parametrize(
    ("error", "reader", "state", "certain"),
    [
        (PublishError("commit: 403"), Hub, "failed", True),
        (KeyboardInterrupt(), Hub, "interrupted", False),  # the Hub may still be at it
        (PublishError("commit: 403"), lambda: Hub(answers=False), "failed", False),
        (KeyboardInterrupt(), lambda: Hub(answers=False), "interrupted", False),
    ],
)
def test_no_commit_is_certain_only_where_it_cannot_come_any_more(
    tmp_path: Path, error: BaseException, reader: type[Hub], state: str, certain: bool
) -> None:
    receipt, _ = broken_off(tmp_path, reader(), error, commit_is_certain=False)
    assert (receipt.state, receipt.commit, receipt.commit_is_certain) == (state, None, certain)
