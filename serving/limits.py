"""What one server accepts, and the errors that say so: one JSON shape for all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one server process."""

    texts: int = 256
    """Texts in one request."""
    characters: int = 100_000
    """Characters of one text; the model itself reads fewer."""
    body_bytes: int = 2_000_000
    waiting: int = 64
    """Requests that wait for a thread; one more is answered 429."""
    body_seconds: float = 20.0
    """Time a client has to send its body."""
    header_seconds: float = 10.0
    """Time a client has to send the headers of a request, or to take its answer."""
    connections: int = 2000
    """Open connections of one process; one more, and the client that was waited for longest is cut off."""


class RequestError(Exception):
    """A request that is refused. `kind` is a word for programs, the message a sentence for people."""

    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.headers = status, kind, message, headers or {}

    def body(self, request_id: str) -> dict[str, str]:
        """The JSON of every error of this server."""
        return {"error": self.message, "error_type": self.kind, "request_id": request_id}


SHAPLEY_TEXTS = 8  # in one request; each takes hundreds of answers


def invalid(message: str) -> RequestError:
    """Return the error for a body that says something this server does not understand."""
    return RequestError(422, "validation", message)


def check_texts(texts: list[str], limits: Limits) -> list[str]:
    """Return the texts; RequestError when there are none, too many or too long ones."""
    if not texts:
        raise invalid("inputs: got no text; send at least one")
    if len(texts) > limits.texts:
        raise RequestError(
            413, "too_many_texts",
            f"inputs: got {len(texts)} texts, allowed are {limits.texts}; send them in several requests",
        )  # fmt: skip
    longest = max(map(len, texts))
    if longest > limits.characters:
        raise RequestError(
            413, "text_too_long",
            f"inputs: got a text of {longest} characters, allowed are {limits.characters}; cut it",
        )  # fmt: skip
    return texts


def check_shapley(texts: list[str]) -> None:
    """RequestError when there are more texts than one request may have explained by Shapley values."""
    if len(texts) > SHAPLEY_TEXTS:
        raise RequestError(
            413, "too_many_texts",
            f'explain: got {len(texts)} texts for "shapley", allowed are {SHAPLEY_TEXTS}; send fewer, or '
            'write "leave-one-out"',
        )  # fmt: skip
