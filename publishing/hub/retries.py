"""Repeating what may be repeated: bounded, with growing waits, and never before the remote was read.

Of a failure we know three kinds. Final: the Hub understood and refused (4xx). Again: it asks for patience
(429) or could not (5xx). Doubtful: nothing came back, so the work may be done or not. The last two look the
same from here, for a proxy's 504 may hide a commit; so before each repetition the remote is asked.
"""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import requests
from huggingface_hub.errors import HfHubHTTPError

from publishing.errors import GaveUpError, PaymentError, PublishError, StalePlanError

T = TypeVar("T")
# What the client raises when a request fails; RuntimeError wraps those of an upload.
FAILURES = (HfHubHTTPError, requests.RequestException, RuntimeError, ConnectionError, TimeoutError)
# What the client, or we, raise over an answer that has not the keys and types of a Hub's.
ODD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)
_NETWORK: dict[type[BaseException], str] = {
    socket.gaierror: "the host name is unknown",
    ConnectionRefusedError: "nothing is listening there",
    ConnectionResetError: "the connection was closed",
    requests.Timeout: "it took too long",
    TimeoutError: "it took too long",
}
_PATIENCE = (408, 425, 429)
_MAYBE_OURS = (409, 412)  # after a doubtful try, these may be the answer to our own earlier request


def _nothing(message: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Retries:
    """How often a step is tried and how long it waits between: `base` seconds, doubled, plus jitter.

    A Hub that asks for more than `longest` seconds ends the push.
    """

    tries: int = 5
    base: float = 1.0
    longest: float = 120.0
    settle: float = 10.0
    """Seconds to wait after the last failure: what timed out here may still be worked on there."""
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = _nothing

    def retry(self, step: str, action: Callable[[], T], settled: Callable[[], T | None] | None = None) -> T:
        """Return what `action` returns, or what `settled` finds on the Hub after a failure.

        `settled` reads the remote and returns None when the action took no effect. Raises PublishError
        (final), StalePlanError (412), PaymentError (402), GaveUpError (as often as allowed).
        """
        number = 1
        while True:
            try:
                return action()
            except FAILURES as error:
                found = self._find_effect(error, number, settled)
                if found is not None:
                    return found
                self._raise_or_wait(step, number, error)
            except ODD as error:
                found = settled() if settled is not None else None
                if found is not None:
                    return found
                raise _odd_answer(step, error) from error
            number += 1

    def _find_effect(
        self, error: BaseException, number: int, settled: Callable[[], T | None] | None
    ) -> T | None:
        """Ask the Hub whether a try that failed took effect after all; after the last one, ask once more."""
        final = is_final(error)
        ours = number > 1 and status_of(error) in _MAYBE_OURS
        if settled is None or (final and not ours):
            return None
        found = settled()
        if found is None and not final and number == self.tries:
            self.sleep(self.settle)
            found = settled()
        return found

    def _raise_or_wait(self, step: str, number: int, error: BaseException) -> None:
        if is_final(error):
            raise _refusal(step, error) from error
        if number == self.tries:
            message = f"{step}: failed {self.tries} times, the last time with: {describe(error)}"
            raise GaveUpError(message) from error
        asked = asked_wait(error) or 0.0
        if asked > self.longest:
            raise GaveUpError(f"{step}: the Hub asks to wait {asked:.0f} s (rate limit); run again then")
        seconds = max(asked, min(self.base * 2.0 ** (number - 1) * (1 + random.random() / 2), self.longest))
        self.tell(f"{step}: {describe(error)}; try {number + 1} of {self.tries} in {seconds:.1f} s")
        self.sleep(seconds)


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _response(error: BaseException) -> requests.Response | None:
    for one in _chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, requests.Response):
            return response
    return None


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status behind an error, None when no answer came."""
    response = _response(error)
    return None if response is None else response.status_code


def is_final(error: BaseException) -> bool:
    """Tell whether repeating cannot help: the Hub refused, or the failure is no network's."""
    status = status_of(error)
    if status is not None:
        # a redirect or a success behind an error is an answer that broke off half way
        return 400 <= status < 500 and status not in _PATIENCE
    network = (requests.RequestException, HfHubHTTPError, ConnectionError, TimeoutError)
    return not any(isinstance(one, network) for one in _chain(error))


def asked_wait(error: BaseException) -> float | None:
    """Return the seconds that the Hub asks to wait: `Retry-After: 7` or `RateLimit: "api";r=0;t=7`."""
    response = _response(error)
    if response is None:
        return None
    after = response.headers.get("Retry-After", "")
    if re.fullmatch(r"\d+(\.\d+)?", after.strip()):
        return float(after)
    limit = re.search(r"r=0\b.*?\bt=(\d+)", response.headers.get("RateLimit", ""))
    return float(limit[1]) if limit else None


def describe(error: BaseException) -> str:
    """Return an error in a few words: status and the server's own message, or what the network did."""
    response = _response(error)
    if response is None:
        causes = list(_chain(error))
        words = next(
            (text for kind, text in _NETWORK.items() for one in causes if isinstance(one, kind)), None
        )
        return f"no answer ({words or type(causes[-1]).__name__})"
    server = (
        getattr(error, "server_message", None) or response.headers.get("X-Error-Message") or response.reason
    )
    return " ".join(f"{response.status_code} {server or ''}".split())[:300]


def _odd_answer(step: str, error: BaseException) -> PublishError:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return PublishError(f"{step}: this is not the answer of a Hub ({said}); check the endpoint")


def _refusal(step: str, error: BaseException) -> PublishError:
    status = status_of(error)
    kinds: dict[int | None, type[PublishError]] = {402: PaymentError, 412: StalePlanError}
    detail = describe(error) if status is not None else f"{type(error).__name__}: {error}"
    return kinds.get(status, PublishError)(f"{step}: {detail}")
