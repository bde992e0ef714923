from __future__ import annotations

from typing import Any

import pytest
import requests
from huggingface_hub.errors import HfHubHTTPError

from publishing.errors import GaveUpError, PaymentError, PublishError, StalePlanError
from publishing.hub.retries import Retries, asked_wait, describe, is_final


def failure(status: int, **headers: str) -> HfHubHTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
    return HfHubHTTPError("no", response=response, server_message="said so")


class Waits:
    """Records what would have been slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def retries(self, **fields: Any) -> Retries:
        return Retries(sleep=self.seconds.append, **fields)


def raising(*errors: BaseException) -> Any:
    left = list(errors)

    def action() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return action


def test_waits_double_with_jitter_and_end() -> None:
    waits = Waits()
    with pytest.raises(GaveUpError, match="step: failed 4 times, the last time with: 503 said so"):
        waits.retries(tries=4, base=1.0).retry("step", raising(*[failure(503)] * 9))
    assert all(2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits.seconds)) and len(waits.seconds) == 3


def test_the_hub_says_how_long() -> None:
    waits = Waits()
    errors = (failure(429, Retry_After="7"), failure(429, RateLimit='"api";r=0;t=9'))
    assert waits.retries().retry("step", raising(*errors)) == "done"
    assert waits.seconds == [7.0, 9.0]
    assert asked_wait(failure(429, RateLimit='"api";r=3;t=9')) is None


def test_a_hub_that_asks_for_too_long_ends_the_push() -> None:
    with pytest.raises(GaveUpError, match="asks to wait 3600 s"):
        Waits().retries().retry("step", raising(failure(429, Retry_After="3600")))


@pytest.mark.parametrize(
    ("status", "kind"), [(400, PublishError), (403, PublishError), (412, StalePlanError), (402, PaymentError)]
)
def test_a_refusal_is_final(status: int, kind: type[PublishError]) -> None:
    waits = Waits()
    with pytest.raises(kind, match=f"step: {status} said so"):
        waits.retries().retry("step", raising(failure(status)))
    assert waits.seconds == []


def test_the_remote_is_asked_before_anything_is_repeated() -> None:
    asked: list[str] = []

    def settled() -> str | None:
        asked.append("asked")
        return "found" if len(asked) == 2 else None

    errors = (requests.ConnectionError(), failure(412))
    assert Waits().retries().retry("step", raising(*errors), settled) == "found"
    assert len(asked) == 2


def test_what_is_late_is_found_after_a_while() -> None:
    waits = Waits()
    answers = iter([None, None, "late"])
    found = waits.retries(tries=2, settle=33).retry(
        "step", raising(*[requests.Timeout()] * 5), lambda: next(answers)
    )
    assert found == "late" and waits.seconds[-1] == 33


def test_a_wrapped_network_failure_is_no_bug_and_a_bug_is_no_network_failure() -> None:
    wrapped = RuntimeError("Error while uploading")
    wrapped.__cause__ = requests.ConnectionError("reset")
    assert not is_final(wrapped) and describe(wrapped) == "no answer (ConnectionError)"
    assert is_final(RuntimeError("a bug"))
