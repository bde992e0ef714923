from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, configure_http_backend

from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, WRITE


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the token or the cache of whoever runs it, nor the time-outs that a push set before."""
    configure_http_backend()
    home = tmp_path_factory.mktemp("hf-home")
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A Hub without Xet, with parts so small that multipart uploads happen."""
    root = tmp_path_factory.mktemp("hub")
    settings = HubSettings(
        root,
        tokens=GRANTS,
        organizations=("desk",),
        xet=False,
        multipart_threshold=3 << 20,
        part_size=1 << 20,
        allow_faults=True,
    )
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def api(server: RunningHub, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    # huggingface_hub 0.36 reads a commit's address with the environment's endpoint, not with that of HfApi
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.endpoint)
    template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)
    return HfApi(endpoint=server.endpoint, token=WRITE)


@pytest.fixture
def model(api: HfApi, request: pytest.FixtureRequest) -> str:
    """A fresh model repository, named after the test."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name).strip("-")
    while "--" in name:
        name = name.replace("--", "-")
    repo_id = f"ann/{name[-80:].strip('-')}"
    api.create_repo(repo_id)
    return repo_id


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    """Four and a half million bytes that do not compress: one object of five parts."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes((i * 7919 + (i >> 8) * 104729) % 256 for i in range(9000)) * 500)
    return path
