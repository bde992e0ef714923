"""The one place that knows huggingface_hub from inside; these fail first when a version moves something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitInfo, HfApi, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from finsent import REPOSITORY
from local_hub import RunningHub
from publishing.hub import client
from tests.publishing.conftest import WRITE, order

OTHER = "http://127.0.0.1:9"
OWN = REPOSITORY / "publishing" / "hub" / "client.py"


def _inner_names(path: Path) -> Iterator[str]:
    """Yield what a module takes of huggingface_hub that its documentation does not promise."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("huggingface_hub"):
            for name in (node.module or "", *(alias.name for alias in node.names)):
                if name in ("configure_http_backend", "file_download") or "._" in name or name[0] == "_":
                    yield name


@pytest.mark.parametrize("room", ["finsent", "export", "model_card", "publishing", "inference", "space"])
def test_nobody_else_knows_the_client_from_inside(room: str) -> None:
    for path in (REPOSITORY / room).rglob("*.py"):
        assert path == OWN or list(_inner_names(path)) == [], path
    assert len(list(_inner_names(OWN))) == 4


def test_every_address_of_the_client_is_that_of_the_hub_in_use() -> None:
    client.use_hub(OTHER, 1, 1)
    assert hf_hub_url("ann/x", "a.txt") == f"{OTHER}/ann/x/resolve/main/a.txt"
    commit = CommitInfo(
        commit_url=f"{OTHER}/ann/x/commit/{'0' * 40}", commit_message="", commit_description="", oid="0" * 40
    )
    assert commit.repo_url.endpoint == OTHER and commit.repo_url.repo_id == "ann/x"


def test_every_request_of_the_client_has_our_timeouts(server: RunningHub, faults: str) -> None:
    client.use_hub(server.endpoint, 5, 0.2)
    api = HfApi(endpoint=server.endpoint, token=WRITE)
    for step, ask in (("GET", api.whoami), ("POST", lambda: api.create_repo("ann/late"))):
        order(faults, method=step, path="/api/", delay=2)
        with pytest.raises(requests.Timeout):  # without ours the client waits for the answer, which comes
            ask()


def test_a_refusal_is_one_of_the_clients_own_errors(server: RunningHub) -> None:
    client.use_hub(server.endpoint, 5, 5)
    with pytest.raises(RepositoryNotFoundError):
        client.fetch(f"{server.endpoint}/ann/nowhere/resolve/main/README.md", WRITE)
    with pytest.raises(HfHubHTTPError):
        client.post(f"{server.endpoint}/api/repos/create", WRITE, {"type": "nothing"})


def test_without_a_token_none_is_sent(server: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", WRITE)
    client.use_hub(server.endpoint, 5, 5)
    assert client.get(f"{server.endpoint}/api/whoami-v2", WRITE).ok
    assert client.get(f"{server.endpoint}/api/whoami-v2").status_code == 401
