"""serving/Dockerfile: what is in the image, and what it does for another user on a read-only root."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.environments import free_port
from finsent import REPOSITORY
from local_hub import HubSettings, running_hub
from serving.model import ServedModel
from tests.containers import BASE, Container, Engine
from tests.local_hub.accounts import GRANTS, READ
from tests.serving.conftest import TEXTS
from tests.serving.documents import DOCUMENT, container_blocks, fenced
from tests.serving.servers import REQUESTS, ask_across_an_end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

DOCKERFILE = "serving/Dockerfile"
MOST_BYTES = 350_000_000
RELEASE = ("--build-arg", "RELEASE=runs/quickstart/release")


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    done = engine.build(DOCKERFILE, "localhost/finsent", *RELEASE)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return "localhost/finsent"


@pytest.fixture(scope="module")
def container(engine: Engine, image: str) -> Iterator[Container]:
    with engine.started(image) as container:
        yield container


def inspect(engine: Engine, image: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(engine.call("image", "inspect", image).stdout)[0]
    return told


def test_it_is_small_enough(engine: Engine, image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size, base = engine.size(image), engine.size(BASE)
    with capsys.disabled():
        print(f"\nserving/Dockerfile: {size / 1e6:.0f} MB, {(size - base) / 1e6:.0f} of them on its base")
    assert size <= MOST_BYTES


def test_it_holds_what_its_lock_names_and_nothing_of_the_build(engine: Engine, image: str) -> None:
    lock = (REPOSITORY / "serving" / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name.lower().replace("-", "_") for name in re.findall(r"(?m)^([\w.-]+)==", lock)}
    with engine.mounted(image) as root:
        site = root / "opt" / "venv" / "lib" / "python3.11" / "site-packages"
        installed = {path.name.partition("-")[0].lower() for path in site.glob("*.dist-info")}
        assert installed == pinned - {"pyarrow"}  # only bulk scoring reads it
        assert not [name for name in ("torch", "transformers", "pip") if (site / name).exists()]
        left = [root / name for name in ("pip", "etc/pip.conf", "requirements.lock", "root/.cache", "tmp/*")]
        assert [path for path in left if path.parent.is_dir() and list(path.parent.glob(path.name))] == []
        ours = [path for folder in ("app", "model", "opt") for path in (root / folder).rglob("*")]
        modes = [path.stat().st_mode for path in ours if path.is_file()]
    assert len(modes) > 1000
    assert all(mode & stat.S_IROTH and not mode & (stat.S_IWOTH | stat.S_IWGRP) for mode in modes)


def test_it_runs_as_nobody_in_particular(engine: Engine, image: str) -> None:
    told = inspect(engine, image)
    assert told["User"] == "10001:10001" and told["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert not [word for word in ("token", "pip.conf", "://") if word in json.dumps(told["History"]).lower()]


def test_its_root_cannot_be_written(container: Container) -> None:
    assert container.run_python("import os; print(os.getuid())").stdout == "12345\n"
    for place in ("/app/serving/x", "/model/x", "/cache/x", "/x"):
        done = container.run_python(f"open({place!r}, 'w')")
        assert done.returncode == 1 and "Read-only file system" in done.stderr, place


def test_it_answers_what_the_classifier_answers(container: Container, model: ServedModel) -> None:
    answers = httpx.post(f"{container.address}/predict", json={"inputs": [[text] for text in TEXTS]}).json()
    bare = [dict(zip(model.labels, row.tolist(), strict=True)) for row in model.classifier.predict(TEXTS)]
    assert [{one["label"]: one["score"] for one in answer} for answer in answers] == bare


def test_sigterm_in_the_middle_of_requests_loses_none(engine: Engine, image: str) -> None:
    with engine.started(image, "/model", "--drain", "100") as container:

        def stop() -> None:
            container.kill("TERM")
            while container.is_healthy():
                pass

        assert ask_across_an_end(container.address, stop) == [(200, 100)] * REQUESTS
        container.kill("TERM")  # a second signal skips the waiting
        assert container.wait() == 0


def test_a_quota_of_cores_is_seen(engine: Engine, image: str) -> None:
    with engine.started(image, options=("--cpus", "0.5")) as container:
        assert "with 1 process(es)" in container.log()


def test_the_token_is_a_file_that_is_mounted(engine: Engine, image: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("let-me-in\n", encoding="utf-8")
    os.chown(token, 12345, 12345)
    token.chmod(0o400)
    options = ("--volume", f"{token}:/run/secrets/token:ro")
    with engine.started(image, "/model", "--token-file", "/run/secrets/token", options=options) as one:
        codes = [
            httpx.post(f"{one.address}/predict", json={"inputs": "x"}, headers=headers).status_code
            for headers in ({}, {"Authorization": "Bearer let-me-in"})
        ]
    assert codes == [401, 200]


def test_a_release_that_cannot_be_served_is_not_built(engine: Engine, image: str) -> None:
    file = engine.context / "runs" / "quickstart" / "release" / "metrics.json"
    kept = file.read_bytes()
    file.write_text("{", encoding="utf-8")
    try:
        done = engine.build(DOCKERFILE, "localhost/broken", *RELEASE)
    finally:
        file.write_bytes(kept)
    assert done.returncode != 0 and "metrics.json: is not JSON" in done.stdout + done.stderr


def test_without_a_release_it_fetches_one_at_the_start(
    engine: Engine, image: str, model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = engine.build(DOCKERFILE, "localhost/server", "--target", "server")
    assert done.returncode == 0, done.stderr
    with running_hub(HubSettings(tmp_path / "hub", tokens=GRANTS, xet=False)) as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)  # reads a commit's address
        publish(hub.endpoint, engine.context / "runs" / "quickstart" / "release", hub.token)
        options = (
            "--volume",
            "models:/cache",
            "--env",
            f"HF_ENDPOINT={hub.endpoint}",
            "--env",
            f"HF_TOKEN={READ}",
        )
        with engine.started("localhost/server", "ann/model", options=options) as container:
            answer = httpx.post(f"{container.address}/predict", json={"inputs": TEXTS[0]}).json()
    assert answer[0]["label"] == model.classifier(TEXTS[0]).label


def test_the_commands_of_the_documents_run(engine: Engine, image: str, tmp_path: Path) -> None:
    port = free_port()
    engine.write_command(tmp_path, port)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for block in container_blocks():
        command = ["bash", "-euc", block.replace("run --rm", "run --rm --detach")]
        done = subprocess.run(command, cwd=engine.context, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    pulled = inspect(engine, "localhost/finsent:1")
    assert pulled["Healthcheck"] == inspect(engine, image)["Healthcheck"]
    assert pulled["RootFS"] == inspect(engine, image)["RootFS"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_of_the_documents_is_one(image: str, tmp_path: Path) -> None:
    (unit,) = fenced(DOCUMENT, "ini")
    (tmp_path / "finsent.service").write_text(unit, encoding="utf-8")
    command = ["systemd-analyze", "verify", str(tmp_path / "finsent.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def publish(endpoint: str, release: Path, token: str) -> None:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    api.create_repo("ann/model", private=True)
    api.upload_folder(repo_id="ann/model", folder_path=release)
