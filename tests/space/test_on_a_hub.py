"""Both forms pushed to the Hub of this machine: the app runs there, and the page opens from there."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classifier import Classifier
from huggingface_hub import HfApi

from local_hub import HubSettings, RunningHub, running_hub
from space.forms import Subject, write_form
from tests.local_hub.accounts import GRANTS, WRITE
from tests.space.browser import DESK, Visit, chromium, transformers_js

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client imports
    from gradio_client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the Hub installs the Space's requirements

TEXT = "Castoria's net loss narrowed to USD 2 million from USD 9 million."
WASM = "ort-wasm-simd-threaded"
START_SECONDS = 600


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, run_spaces=True, xet=False)
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def api(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    # huggingface_hub 0.36 reads a commit's address with the environment's endpoint, not with that of HfApi
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    return HfApi(endpoint=hub.endpoint, token=WRITE)


@pytest.fixture
def subject(api: HfApi, hub: RunningHub, release: Path) -> Subject:
    """The release, published, at the commit that it got."""
    api.create_repo("ann/model", exist_ok=True)
    files = ["*.json", "recipe.yaml", "onnx/*"]
    commit = api.upload_folder(repo_id="ann/model", folder_path=release, allow_patterns=files)
    return Subject("ann/model", commit.oid, "A demo", "A summary.", "apache-2.0", host=hub.endpoint)


def push(api: HfApi, repo_id: str, sdk: str, folder: Path) -> None:
    api.create_repo(repo_id, repo_type="space", space_sdk=sdk)
    api.upload_folder(repo_id=repo_id, repo_type="space", folder_path=folder)


def test_the_app_runs_there_and_answers(
    api: HfApi, hub: RunningHub, subject: Subject, release: Path, tmp_path: Path
) -> None:
    write_form("gradio", subject, tmp_path / "form")
    push(api, "ann/demo", "gradio", tmp_path / "form")
    deadline = time.monotonic() + START_SECONDS
    while (stage := api.get_space_runtime("ann/demo").stage) != "RUNNING":
        assert not stage.endswith("ERROR"), api.get_space_runtime("ann/demo").raw
        assert time.monotonic() < deadline, stage
        time.sleep(1)
    client = Client(address(api), verbose=False)
    assert client.predict(TEXT, api_name="/classify")["label"] == Classifier(release)(TEXT).label
    client.close()


def address(api: HfApi) -> str:
    return f"http://{api.get_space_runtime('ann/demo').raw['domains'][0]['domain']}"


def test_the_page_opens_from_there(
    api: HfApi, hub: RunningHub, subject: Subject, release: Path, tmp_path: Path
) -> None:
    local = {"library": "./transformers.min.js", "wasm": "./"}
    write_form("static", subject, tmp_path / "form", local)
    for name in ("transformers.min.js", f"{WASM}.mjs", f"{WASM}.wasm"):
        [file] = [folder / name for folder in transformers_js() if (folder / name).is_file()]
        (tmp_path / "form" / name).write_bytes(file.read_bytes())
    push(api, "ann/page", "static", tmp_path / "form")
    with chromium() as browser:
        context: Any = browser.new_context(viewport=DESK)
        visit = Visit(context, f"{hub.endpoint}/spaces/ann/page/app/")
        visit.page.fill("#headline", TEXT)
        visit.page.press("#headline", "Enter")
        visit.page.wait_for_selector("#answer .fs-words")
        shown = visit.page.locator("#answer .fs-number").all_inner_texts()
        expected = Classifier(release)(TEXT).scores.values()
        assert [float(one.removesuffix(" %")) / 100 for one in shown] == pytest.approx(
            list(expected), abs=0.1
        )
        visit.check()
        visit.shoot("static-on-a-hub")
        context.close()
