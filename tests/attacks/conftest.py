from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from local_hub import HubSettings, RunningHub, running_hub
from tests.attacks.people import Person
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE
from tests.local_hub.conftest import _own_cache  # noqa: F401  (no test sees the caller's token)

Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, organizations=("desk",))
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def api(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """Ann's client."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)
    return HfApi(endpoint=hub.endpoint, token=WRITE)


@pytest.fixture
def ann(hub: RunningHub) -> Person:
    return Person(hub.endpoint, WRITE)


@pytest.fixture
def reading_ann(hub: RunningHub) -> Person:
    return Person(hub.endpoint, READ)


@pytest.fixture
def bob(hub: RunningHub) -> Person:
    return Person(hub.endpoint, OTHER)


@pytest.fixture
def anybody(hub: RunningHub) -> Person:
    return Person(hub.endpoint, None)


@pytest.fixture
def repo_id(request: pytest.FixtureRequest) -> str:
    """A name of Ann's that no other test uses."""
    letters = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return "ann/" + "-".join(part for part in letters.split("-") if part)[-80:].strip("-")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git in a folder, under a name of its own and asking nobody."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@y", "GIT_COMMITTER_NAME": "x"}
    quiet = {"GIT_COMMITTER_EMAIL": "x@y", "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}

    def call(
        *words: str, at: Path, given: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words], cwd=at, env={**clean, **who, **quiet, "HOME": str(tmp_path), **environment},
            input=given, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return call
