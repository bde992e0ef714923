"""A disk that fills up at any write: 507 meanwhile, and afterwards everything goes on."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from local_hub import HubSettings, TokenGrant, running_hub
from tests.attacks.watched import HEADERS, REPO, TOKEN, free_port, wait_for


@dataclass(frozen=True)
class Server:
    endpoint: str
    root: Path
    switch: Path
    pid: int

    def repository(self, name: str) -> Path:
        return self.root / "repositories" / "models" / "ann" / f"{name}.git"

    def fill(self, first: int) -> None:
        """Let this write and all after it fail; 0 is room enough."""
        self.switch.write_bytes(b"x" * first)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tmp_path = tmp_path_factory.mktemp("full")
    port = free_port()
    root, switch = tmp_path / "hub", tmp_path / "switch"
    root.mkdir()
    switch.write_bytes(b"")
    arguments = [str(root), str(port), TOKEN, str(switch)]
    process = subprocess.Popen([sys.executable, "-m", "tests.attacks.full_disk", *arguments], cwd=REPO)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_for(endpoint)
        yield Server(endpoint, root, switch, process.pid)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def api(server: Server, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    return HfApi(endpoint=server.endpoint, token=TOKEN)


@contextmanager
def small_files(server: Server, largest: int) -> Iterator[None]:
    """Let every write fail that makes a file of the server larger than this: what a full disk does midway."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def upload(api: HfApi, repo: str, name: str) -> int:
    """Commit a text file, an object in one piece and one in parts; the status that it ended with."""
    operations = [
        CommitOperationAdd(f"{name}.txt", name.encode() * 100),
        CommitOperationAdd(f"{name}.bin", name.encode() * 9000 + b"\0"),
        CommitOperationAdd(f"{name}.onnx", name.encode() * 200_000 + b"\0"),
    ]
    try:
        api.create_commit(f"ann/{repo}", operations, commit_message=name)
    except (HfHubHTTPError, RuntimeError) as error:  # RuntimeError: the upload of one file failed
        cause = error if isinstance(error, HfHubHTTPError) else error.__cause__
        assert isinstance(cause, HfHubHTTPError), cause
        return cause.response.status_code
    return 200


def check_health(server: Server, api: HfApi, repo: str, names: list[str]) -> None:
    """No leftovers, no damage, every file readable."""
    assert not [path for path in server.root.rglob("*") if path.name.endswith((".lock", ".tmp", ".draft"))]
    incoming = [path for path in (server.root / "incoming").rglob("*") if path.is_file()]
    assert not incoming
    if shutil.which("git"):
        check = ["git", "fsck", "--full", "--strict"]
        done = subprocess.run(check, cwd=server.repository(repo), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    files = api.list_repo_files(f"ann/{repo}")
    assert {f"{name}.{ending}" for name in names for ending in ("txt", "bin", "onnx")} <= set(files)
    url = f"{server.endpoint}/ann/{repo}/resolve/main/{names[-1]}.onnx"
    assert len(requests.get(url, timeout=30).content) == len(names[-1]) * 200_000 + 1


def test_a_disk_that_is_full_from_any_write_on(server: Server, api: HfApi) -> None:
    api.create_repo("ann/full")
    names = []
    for first in range(1, 100):
        names.append(f"n{first:03d}")
        server.fill(first)
        status = upload(api, "full", names[-1])
        server.fill(0)
        assert status in (200, 507)
        assert upload(api, "full", names[-1]) == 200
        if status == 200:
            break
    assert first > 10
    check_health(server, api, "full", names)


def test_a_write_that_breaks_off_midway(server: Server, api: HfApi) -> None:
    api.create_repo("ann/midway")
    names = []
    for largest in (0, 10, 40, 60, 100, 200, 1000, 30_000, 400_000, 700_000):
        names.append(f"n{largest}")
        with small_files(server, largest):
            assert upload(api, "midway", names[-1]) == 507
            assert requests.get(f"{server.endpoint}/api/models", timeout=10).status_code == 200
        assert upload(api, "midway", names[-1]) == 200
    check_health(server, api, "midway", names)


def test_everything_else_that_writes_answers_507_and_goes_on(server: Server, api: HfApi) -> None:
    api.create_repo("ann/others")
    api.create_discussion("ann/others", title="talk")
    base = f"{server.endpoint}/api/models/ann/others"
    secret = {"name": "s", "type": "space", "sdk": "static", "secrets": [{"key": "K", "value": "v"}]}
    requests_ = [
        ("POST", f"{server.endpoint}/api/repos/create", {"name": "new"}),
        ("POST", f"{server.endpoint}/api/repos/create", secret),
        ("POST", f"{base}/tag/main", {"tag": "v1", "message": "annotated"}),
        ("POST", f"{base}/tag/main", {"tag": "v2"}),
        ("POST", f"{base}/branch/dev", {}),
        ("PUT", f"{base}/settings", {"private": True}),
        ("POST", f"{base}/discussions/1/comment", {"comment": "hello"}),
        ("POST", f"{base}/discussions", {"title": "a second one", "pullRequest": True}),
    ]
    for method, url, body in requests_:
        for first in range(1, 60):
            server.fill(first)
            status = requests.request(method, url, json=body, headers=HEADERS, timeout=30).status_code
            server.fill(0)
            if status == 200:
                break
            assert status == 507, (url, first, status)
        else:
            raise AssertionError(f"{url} never succeeded")
        assert first > 1, f"{url} writes nothing, so nothing was tried"
    assert not [path for path in server.root.rglob("*") if path.name.endswith((".lock", ".tmp"))]
    assert not [path for path in (server.root / "incoming").rglob("*") if path.is_file()]


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_push_with_git(server: Server, api: HfApi, tmp_path: Path) -> None:
    api.create_repo("ann/pushed")
    url = server.endpoint.replace("://", f"://ann:{TOKEN}@") + "/ann/pushed"
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", url, str(folder)], check=True, capture_output=True)
    identity = ["-c", "user.name=ann", "-c", "user.email=ann@localhost"]
    (folder / "a.txt").write_text("pushed\n" * 100, encoding="utf-8")
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "pushed"], cwd=folder, check=True)
    push = ["git", "push", "-q", "origin", "HEAD:main"]
    for first in range(1, 40):
        server.fill(first)
        pushed = subprocess.run(push, cwd=folder, capture_output=True, check=False, text=True)
        status = pushed.returncode
        assert status == 0 or "507" in pushed.stderr, pushed.stderr  # and no word of a broken pack
        server.fill(0)
        objects = server.repository("pushed") / "objects"
        assert not [
            *objects.glob("tmp*"),
            *objects.glob("pack/tmp*"),
            *server.repository("pushed").rglob("*.lock"),
        ]
        if status == 0:
            break
    assert status == 0
    assert first > 1
    assert "a.txt" in api.list_repo_files("ann/pushed")


def test_a_lock_file_that_nobody_holds_stops_nothing(server: Server, api: HfApi) -> None:
    api.create_repo("ann/locked")
    repository = server.repository("locked")
    content = b"the same content"
    api.create_commit("ann/locked", [CommitOperationAdd("a.txt", content)], commit_message="a")
    blob = api.get_paths_info("ann/locked", ["a.txt"])[0].blob_id
    path = repository / "objects" / blob[:2] / blob[2:]
    path.rename(path.with_name(path.name + ".lock"))
    (repository / "refs" / "heads" / "main.lock").write_bytes(b"")
    (repository / "refs" / "tags").mkdir(exist_ok=True)
    (repository / "refs" / "tags" / "v1.lock").write_bytes(b"")
    api.create_commit("ann/locked", [CommitOperationAdd("b.txt", content)], commit_message="b")
    api.create_tag("ann/locked", tag="v1")
    assert not list(repository.rglob("*.lock"))


def test_identical_commits_at_once_are_never_an_error(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path / "hub", tokens=(TokenGrant("ann", "write", TOKEN),))
    line = json.dumps(
        {"key": "file", "value": {"path": "a.txt", "content": "c2FtZQ==", "encoding": "base64"}}
    )
    body = f'{{"key":"header","value":{{"summary":"same"}}}}\n{line}\n'
    with running_hub(settings) as hub:
        requests.post(f"{hub.endpoint}/api/repos/create", json={"name": "m"}, headers=HEADERS, timeout=30)

        def commit(_: int) -> int:
            connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=60)
            connection.request("POST", "/api/models/ann/m/commit/main", body, HEADERS)
            status = connection.getresponse().status
            connection.close()
            return status

        with ThreadPoolExecutor(28) as pool:
            assert set(pool.map(commit, range(56))) == {200}
        history = requests.get(f"{hub.endpoint}/api/models/ann/m/commits/main?limit=100", timeout=30).json()
    assert len(history) == 57
