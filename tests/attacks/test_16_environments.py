"""What the caller's environment may not break: proxies, caches, encodings, switches, disks, addresses."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import HfApi, configure_http_backend, constants

import hub_push
from finsent import REPOSITORY
from finsent.environment import go_online
from local_hub import HubSettings, RunningHub, running_hub
from publishing import push as push_module
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.options import PushOptions
from publishing.package.parcel import Parcel, pack_dataset
from publishing.push import Push
from tests.local_hub.accounts import GRANTS, WRITE
from tests.poison import CACHES, POISON, PROXIES, SWITCHES, poisoned  # noqa: F401  (a fixture)

_SHOW = """\
import json, os, tempfile
from pathlib import Path
from huggingface_hub import constants as c
places = [c.HF_HOME, c.HF_HUB_CACHE, c.HF_ASSETS_CACHE, str(Path.home()), tempfile.gettempdir()]
print(json.dumps([places, c.HF_HUB_OFFLINE, c.HF_HUB_ENABLE_HF_TRANSFER, c.ENDPOINT, sorted(os.environ)]))
"""


@pytest.mark.usefixtures("poisoned")
def test_an_empty_home_is_empty_whatever_the_environment_says(hub: RunningHub, tmp_path: Path) -> None:
    environment = connect_to(hub).connection.environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", _SHOW], env=environment, capture_output=True, check=True)
    places, offline, transfer, endpoint, names = json.loads(done.stdout)
    assert all(Path(place).is_relative_to(tmp_path) for place in places), places
    assert (offline, transfer, endpoint) == (False, False, hub.endpoint)
    assert not {*SWITCHES, *PROXIES, *CACHES} & set(names) - {"HF_TOKEN", "HF_HOME", "HOME", "TMPDIR"}
    assert environment["HF_TOKEN"] == WRITE


def connect_to(hub: RunningHub) -> Reader:
    return Reader(connect(hub.endpoint, WRITE, Timeouts(10, 60)), Retries(tries=3, base=0.05, settle=0.05))


@pytest.fixture(autouse=True)
def _own_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `connect` does to this process's client is undone."""
    monkeypatch.setattr(
        constants, "HF_HUB_ENABLE_HF_TRANSFER", True
    )  # as where the switch was set at the start
    yield
    configure_http_backend()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    files = "  data_files:\n  - split: train\n    path: train.csv\n"
    front = f"license: mit\nconfigs:\n- config_name: default\n{files}"
    (folder / "README.md").write_text(f"---\n{front}---\n\n# Δ\n", encoding="utf-8")
    (folder / "train.csv").write_text("text,label\nUp,1\n", encoding="utf-8")
    return folder


def parcel_of(rows: Path, repo_id: str) -> Parcel:
    return pack_dataset(rows, Target(repo_id, "dataset"), rows.parent)


QUICKLY = PushOptions(proof="files", confirm=False)


@pytest.mark.usefixtures("poisoned", "api")
def test_a_hub_on_this_machine_is_asked_without_proxy_and_without_hf_transfer(
    hub: RunningHub, rows: Path, repo_id: str
) -> None:
    receipt = hub_push.publish(Push(parcel_of(rows, repo_id), QUICKLY, connect_to(hub))).receipt
    assert receipt is not None and receipt.state == "published"
    assert constants.HF_HUB_ENABLE_HF_TRANSFER is False


@pytest.mark.slow
def test_the_whole_command_in_the_worst_environment(hub: RunningHub, rows: Path, repo_id: str) -> None:
    poison = {name: value for name, value in POISON.items() if not name.endswith("_OFFLINE")}
    poison |= {"HF_TOKEN": WRITE, "HOME": str(rows.parent), "HF_HOME": "", "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = ["hub_push.py", str(rows), "--repo-type", "dataset", "--repo-id", repo_id, "--yes", "--json"]
    done = subprocess.run(
        [sys.executable, *command, "--endpoint", hub.endpoint],
        cwd=REPOSITORY, env={**os.environ, **poison}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    checks = json.loads(done.stdout)["receipt"]["checks"]
    assert [(check["name"], check["state"]) for check in checks] == [("files", "ok"), ("rows", "ok")]


@pytest.mark.usefixtures("api")
def test_a_full_disk_during_the_proof_tells_that_it_is_published(
    hub: RunningHub, rows: Path, repo_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def full() -> Iterator[Path]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield

    reader = connect_to(hub)
    monkeypatch.setattr(push_module, "empty_home", full)
    with pytest.raises(
        PublishError, match=r"^[0-9a-f]{8} is published, but the proof was interrupted: .*No space.*TMPDIR"
    ):
        hub_push.publish(Push(parcel_of(rows, repo_id), QUICKLY, reader))
    monkeypatch.undo()
    assert hub_push.publish(Push(parcel_of(rows, repo_id), QUICKLY, connect_to(hub))).receipt is not None


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        (["TRANSFORMERS_OFFLINE"], "TRANSFORMERS_OFFLINE: publishing"),
        (
            ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"],
            "HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE",
        ),
        (["HF_HUB_OFFLINE"], "HF_HUB_OFFLINE: publishing"),
    ],
)
def test_the_switch_that_is_set_is_the_one_that_is_named(
    switches: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in switches:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match=told):
        connect("http://127.0.0.1:9", "hf_x", Timeouts())
    assert go_online() == f"unset {' and '.join(switches)}"


def test_the_other_loopback(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no ::1 ({error})")
    template = "/{repo_id}/resolve/{revision}/{filename}"
    with running_hub(HubSettings(tmp_path / "hub6", host="::1", tokens=GRANTS)) as hub:
        assert hub.endpoint.startswith("http://[::1]:")
        for module in ("constants", "file_download"):
            monkeypatch.setattr(
                f"huggingface_hub.{module}.HUGGINGFACE_CO_URL_TEMPLATE", hub.endpoint + template
            )
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        receipt = hub_push.publish(Push(parcel_of(rows, "ann/rows"), QUICKLY, connect_to(hub))).receipt
        assert receipt is not None and receipt.state == "published"
        api = HfApi(endpoint=hub.endpoint, token=WRITE)
        api.create_repo("ann/demo", repo_type="space", space_sdk="static")
        assert str(api.space_info("ann/demo").host).startswith(hub.endpoint)


def test_every_story_prints_on_every_terminal() -> None:
    for path in sorted(REPOSITORY.glob("**/*.py")):
        folder = path.relative_to(REPOSITORY).parts[0]
        if folder in (".venv", ".envs", "runs", "tests", "space", "local_hub", "serving"):
            continue  # serving imports inference alone; its commands print ASCII, as the next test says
        text = path.read_text(encoding="utf-8")
        if "typer" in text and '__name__ == "__main__"' in text:
            assert 'if __name__ == "__main__":\n    print_anywhere()\n' in text, path


def test_what_serving_says_fits_every_terminal() -> None:
    for module in ("serving", "serving.bulk"):
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "NO_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=REPOSITORY, env=environment, capture_output=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0 and done.stdout.isascii() and b"Usage" in done.stdout, done.stderr
