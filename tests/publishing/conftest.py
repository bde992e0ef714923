from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub import HfApi, configure_http_backend, constants, file_download
from huggingface_hub.utils.tqdm import disable_progress_bars

import hub_push
from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from publishing.hub.connection import Connection, Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.options import PushOptions
from publishing.package.parcel import Parcel, pack_release
from publishing.push import Push, PushResult
from publishing.receipt import Receipt, read_receipt
from tests.publishing.demo_files import write_demo

WRITE, READ, OTHER = "hf_" + "w" * 30, "hf_" + "r" * 30, "hf_" + "o" * 30
GRANTS = (
    TokenGrant("ann", "write", WRITE),
    TokenGrant("ann", "read", READ),
    TokenGrant("bob", "write", OTHER),
)
QUICK = Retries(tries=3, base=0.05, settle=0.05)


@pytest.fixture(autouse=True)
def _client(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test does to the process's Hub client is undone."""
    home = tmp_path_factory.mktemp("hf-home")
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE", "HF_HUB_DISABLE_XET"):
        monkeypatch.setattr(constants, name, getattr(constants, name))
    template = vars(file_download)["HUGGINGFACE_CO_URL_TEMPLATE"]
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    disable_progress_bars()
    before = constants.ENDPOINT
    yield
    if before == constants.ENDPOINT:  # it pointed the client nowhere
        return
    configure_http_backend()
    with warnings.catch_warnings():  # connections that broke off are left to the collector by the client
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    root = tmp_path_factory.mktemp("hub")
    settings = HubSettings(root, tokens=GRANTS, organizations=("desk",), xet=False, allow_faults=True)
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def faults(server: RunningHub) -> Iterator[str]:
    url = f"{server.control}/faults"
    yield url
    requests.post(url, json=[], timeout=10)


@pytest.fixture
def running_spaces(tmp_path: Path) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path / "spaces", tokens=GRANTS, xet=False, run_spaces=True)
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def free_account(tmp_path: Path) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path / "free", tokens=GRANTS, xet=False, free_account=True, allow_faults=True)
    with running_hub(settings) as running:
        yield running


def order(url: str, **fault: Any) -> None:
    answer = requests.post(url, json=[fault], timeout=10)
    assert answer.ok, answer.text


@pytest.fixture
def connection(server: RunningHub) -> Connection:
    return connect(server.endpoint, WRITE, Timeouts(5, 5), "a test")


@pytest.fixture
def api(connection: Connection) -> HfApi:
    return connection.api


@pytest.fixture
def reader(connection: Connection) -> Reader:
    return Reader(connection, QUICK)


@pytest.fixture
def run(tiny_release: Path, tmp_path: Path) -> Path:
    """A run of its own, which a test may change."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_release, folder / "release")
    return folder


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A Space of ten lines in both forms."""
    return write_demo(tmp_path / "space")


@pytest.fixture
def repo_id(request: pytest.FixtureRequest) -> str:
    letters = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return "ann/" + "-".join(part for part in letters.split("-") if part)[-80:].strip("-")


@dataclass
class Publisher:
    """Publishes one run to one repository, in this process."""

    reader: Reader
    run: Path
    repo_id: str

    @property
    def target(self) -> Target:
        return Target(self.repo_id)

    def parcel(self) -> Parcel:
        return pack_release(self.run, self.target, None)

    def publish(self, **options: Any) -> PushResult:
        quickly: dict[str, Any] = {"proof": "files", "confirm": False}
        return hub_push.publish(Push(self.parcel(), PushOptions(**(quickly | options)), self.reader))

    def commits(self) -> list[str]:
        return [one.title for one in self.reader.connection.api.list_repo_commits(self.repo_id)]

    def receipts(self) -> list[Receipt]:
        return [read_receipt(path) for path in sorted((self.run / "receipts").glob("*.json"))]

    def change(self, text: str) -> None:
        """Make another release of it: free text of the card and the version differ."""
        card = self.run / "release" / "README.md"
        card.write_text(card.read_text(encoding="utf-8") + f"\n{text}\n", encoding="utf-8")


@pytest.fixture
def publisher(reader: Reader, run: Path, repo_id: str) -> Publisher:
    return Publisher(reader, run, repo_id)


NEEDS_A_HUB = {"server", "running_spaces", "free_account", "run"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call a test slow when it publishes over the wire; the others are tried out in `make test`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and NEEDS_A_HUB & set(fixtures_of(item)):
            item.add_marker(pytest.mark.slow)


def fixtures_of(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])
