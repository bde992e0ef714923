"""What is over a limit is refused in one shape, which says what was got and what is allowed."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.classifier import Classifier
from serving.answers import Answerer
from serving.limits import Limits
from serving.metrics import ServerMetrics
from serving.model import ServedModel
from serving.routes.openai import Classify, classify
from serving.routes.tei import Predict, predict
from tests.serving.servers import serving

SMALL = Limits(texts=3, characters=50, body_bytes=400, waiting=1, body_seconds=0.3)


def _check(answer: httpx.Response, status: int, kind: str, said: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["error_type"]) == (status, kind), body
    assert set(body) == {"error", "error_type", "request_id"}
    assert said in body["error"] and body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "said"),
    [
        ("/predict", {"inputs": [["a"]] * 4}, 413, "too_many_texts", "got 4 texts, allowed are 3"),
        ("/v1/classify", {"input": ["a"] * 4}, 413, "too_many_texts", "got 4 texts, allowed are 3"),
        ("/tokenize", {"inputs": ["a"] * 4}, 413, "too_many_texts", "got 4 texts, allowed are 3"),
        ("/", {"inputs": "a" * 51}, 413, "text_too_long", "51 characters, allowed are 50"),
        ("/", {"inputs": "a" * 500}, 413, "body_too_large", "allowed are 400"),
        ("/", {"inputs": []}, 422, "validation", "got no text"),
        (
            "/",
            {"input": "a"},
            422,
            "validation",
            "inputs: field required; GET /docs shows what each route takes",
        ),
        (
            "/",
            {"inputs": 7},
            422,
            "validation",
            "inputs: input should be a valid string; inputs: input should",
        ),
        ("/predict", {"inputs": ["a", 7]}, 422, "validation", "inputs.1: input should be a valid string"),
        ("/", {"inputs": "a", "parameters": {"top_k": 0}}, 422, "validation", "parameters.top_k"),
        ("/v1/classify", [], 422, "validation", "body"),
        ("/nowhere", {}, 404, "not_found", "/docs"),
        ("/models/other", {"inputs": "a"}, 404, "model_not_found", "'tiny'"),
        ("/health", {}, 405, "http", "/docs"),
    ],
)
def test_refusals_say_what_is_allowed(
    model: ServedModel, path: str, body: Any, status: int, kind: str, said: str, small: str
) -> None:
    _check(httpx.post(small + path, json=body), status, kind, said)


@pytest.fixture(scope="module")
def small(model: ServedModel) -> Any:
    with serving(model, SMALL) as address:
        yield address


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"inputs": "\xff"}', b"[" * 390, b"no json"])
def test_what_is_no_json_is_refused(small: str, content: bytes) -> None:
    answer = httpx.post(f"{small}/predict", content=content, headers={"Content-Type": "application/json"})
    _check(answer, 422, "validation", "body")


def test_a_body_without_its_length_is_bounded_too(small: str) -> None:
    answer = httpx.post(f"{small}/predict", content=iter([b"x" * 300] * 10))
    _check(answer, 413, "body_too_large", "allowed are 400")


def test_a_body_that_does_not_come_is_refused_and_the_connection_closed(small: str) -> None:
    host, port = small.removeprefix("http://").split(":")
    head = (
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # ends when the server hangs up
    assert (
        answer.startswith(b"HTTP/1.1 408")
        and json.loads(answer.partition(b"\r\n\r\n")[2])["error_type"] == "timeout"
    )


@pytest.mark.parametrize("sent", [None, "Bearer wrong", "Bearer", "Basic secret", "secret", "bearer secreté"])
def test_without_the_token_only_health_answers(guarded: str, sent: str | None) -> None:
    headers = {"Authorization": sent.encode("latin-1")} if sent else {}
    for path in ("/predict", "/metrics", "/docs", "/openapi.json", "/nowhere"):
        answer = httpx.request("GET" if path != "/predict" else "POST", guarded + path, headers=headers)
        _check(answer, 401, "unauthorized", "token")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{guarded}/health", headers=headers).status_code == 200
    right = httpx.post(f"{guarded}/predict", json={"inputs": "a"}, headers={"Authorization": "Bearer secret"})
    assert right.status_code == 200


@pytest.fixture(scope="module")
def guarded(model: ServedModel) -> Any:
    with serving(model, token="secret") as address:
        yield address


class GatedClassifier(Classifier):
    """Answers when `gate` opens: the queue is as full as a test wants it."""

    def __init__(self, folder: Path, file: str) -> None:
        super().__init__(folder, file)
        self.gate, self.entered = threading.Event(), threading.Semaphore(0)

    def logits(self, texts: Any, batch_size: int = 32) -> NDArray[np.float32]:
        self.entered.release()
        assert self.gate.wait(30)
        return super().logits(texts, batch_size)


def test_a_full_queue_is_429_and_health_still_answers(model: ServedModel, tiny_release: Path) -> None:
    classifier = GatedClassifier(tiny_release, model.file)
    with (
        serving(replace(model, classifier=classifier), replace(Limits(), waiting=1), threads=1) as address,
        ThreadPoolExecutor(2) as pool,
    ):

        def ask() -> httpx.Response:
            return httpx.post(f"{address}/predict", json={"inputs": "a"}, timeout=60)

        held = [pool.submit(ask)]
        assert classifier.entered.acquire(timeout=20)
        held.append(pool.submit(ask))
        while "finsent_queue_depth 2.0" not in httpx.get(f"{address}/metrics").text:
            pass
        refused = ask()
        assert httpx.get(f"{address}/health").status_code == 200
        classifier.gate.set()
        assert [one.result().status_code for one in held] == [200, 200]
        assert ask().status_code == 200
    _check(refused, 429, "overloaded", "may wait")
    assert refused.headers["retry-after"] == "1"


def test_a_request_has_one_place_in_the_queue_for_all_that_it_asks(model: ServedModel) -> None:
    """Else who was let in may be refused half way: scores, words and tokens are asked one after another."""

    class Counted(Answerer):
        places = 0

        @contextmanager
        def place(self) -> Iterator[None]:
            self.places += 1
            with super().place():
                yield

    answers = Counted(model, Limits(), ServerMetrics(), threads=1)
    asyncio.run(classify(Classify(input="a", explain=True), answers))
    assert answers.places == 1
    asyncio.run(predict(Predict(inputs="a", explain=True), answers))
    assert answers.places == 2


def test_a_failure_inside_is_a_500_that_tells_nothing(model: ServedModel, tiny_release: Path) -> None:
    class Failing(Classifier):
        def logits(self, texts: Any, batch_size: int = 32) -> NDArray[np.float32]:
            raise ValueError(f"cannot read {texts[0]}")

    broken = replace(model, classifier=Failing(tiny_release, model.file))
    with serving(broken) as address:
        answer = httpx.post(f"{address}/predict", json={"inputs": "private"})
    _check(answer, 500, "internal", "request id")
    assert "private" not in answer.text and "ValueError" not in answer.text
