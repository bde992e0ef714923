"""Whatever a body holds: an answer or a refusal, never a failure of the server."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROUTES = ["/predict", "/tokenize", "/", "/models/tiny", "/classify", "/v1/classify"]
KEYS = [
    "inputs", "input", "model", "explain", "raw_scores", "truncate", "truncation_direction", "parameters",
    "top_k", "function_to_apply", "add_special_tokens",
]  # fmt: skip
TEXT = st.text(st.characters(), max_size=40)  # lone surrogates too
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | TEXT, inner),
    max_leaves=8,
)
LIKELY = st.fixed_dictionaries(
    {"inputs": TEXT | st.lists(TEXT, max_size=3) | VALUE, "input": TEXT | st.lists(TEXT, max_size=3) | VALUE},
    optional={key: VALUE for key in KEYS[2:]},
)
QUICK = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _check(answer: httpx.Response) -> None:
    body = answer.json()
    assert answer.status_code < 500, body
    if answer.status_code != 200:
        assert set(body) == {"error", "error_type", "request_id"}


@QUICK
@given(st.sampled_from(ROUTES), LIKELY | VALUE)
@example("/", {"inputs": "\ud800"})
@example("/v1/classify", {"input": ["a"], "explain": True})
@example("/predict", {"inputs": "a \ud83d b", "explain": True})
@example("/", {"inputs": "a", "parameters": {"top_k": 10**400}})
def test_any_json(client: httpx.Client, path: str, body: Any) -> None:
    content = json.dumps(body).encode()
    _check(client.post(path, content=content, headers={"Content-Type": "application/json"}))


@QUICK
@given(
    st.sampled_from(ROUTES), st.binary(max_size=200),
    st.sampled_from(["application/json", "text/plain", "multipart/form-data", "application/yaml", ""]),
)  # fmt: skip
@example("/", b"[" * 100_000, "application/json")
@example("/", b'{"inputs": ' + b"9" * 10_000 + b"}", "application/json")
def test_any_bytes(client: httpx.Client, path: str, content: bytes, kind: str) -> None:
    _check(client.post(path, content=content, headers={"Content-Type": kind}))


@QUICK
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40), st.binary(max_size=40))
def test_any_address_and_request_id(client: httpx.Client, path: str, identity: bytes) -> None:
    letters = bytes(letter for letter in identity if letter > 32 and letter != 127)  # what a client may send
    address = str(client.base_url).rstrip("/") + "/" + path.replace("#", "").replace("%", "%25")
    answer = client.get(address, headers={"X-Request-Id": letters})
    assert answer.status_code in (200, 404, 405)
