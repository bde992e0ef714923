"""Both forms, published by the push tool to the Hub of this machine: one runs there, one opens from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from benchmarks.browser.chromium import chromium, transformers_js
from inference.classifier import Classifier
from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, WRITE
from tests.space.browser import DESK, Visit
from tests.tiny import ROOT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client imports
    from gradio_client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the Hub installs the Space's requirements

TEXT = "Castoria's net loss narrowed to USD 2 million from USD 9 million."
CDN = "https://cdn.jsdelivr.net/"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, run_spaces=True, xet=False)
    with running_hub(settings) as running:
        yield running


@pytest.fixture(scope="module")
def run(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the release, which the push tool may write its receipts into."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(release, folder / "release")
    return folder


def push(hub: RunningHub, run: Path, form: str) -> dict[str, Any]:
    """Publish model and Space as a person does; return the receipt."""
    command = [sys.executable, "hub_push.py", str(run), "--repo-id", f"ann/{form}", "--space", form]
    done = subprocess.run(
        [*command, "--proof", "files", "--yes", "--json"],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": WRITE, "HF_HOME": str(run / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    receipt: dict[str, Any] = json.loads(done.stdout)["receipt"]
    assert receipt["space"]["stage"] == "RUNNING"
    return receipt


def test_the_app_runs_there_and_answers(hub: RunningHub, run: Path, release: Path) -> None:
    receipt = push(hub, run, "gradio")
    runtime = HfApi(endpoint=hub.endpoint, token=WRITE).get_space_runtime("ann/gradio-demo")
    client = Client(f"http://{runtime.raw['domains'][0]['domain']}", verbose=False)
    answer = client.predict(TEXT, api_name="/classify")
    client.close()
    assert answer["scores"] == pytest.approx(Classifier(release)(TEXT).scores, abs=1e-6)
    assert "/classify answers" in receipt["checks"][-1]["detail"]


def bring(route: Any) -> None:
    """Answer for the CDN with the same files from this machine."""
    name = route.request.url.rpartition("/")[2]
    [file] = [folder / name for folder in transformers_js() if (folder / name).is_file()]
    kind = "application/wasm" if name.endswith(".wasm") else "text/javascript"
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": kind}
    route.fulfill(path=str(file), headers=headers)


def test_the_page_opens_from_there(hub: RunningHub, run: Path, release: Path) -> None:
    receipt = push(hub, run, "static")
    with chromium() as browser:
        context: Any = browser.new_context(viewport=DESK)
        context.route(f"{CDN}**", bring)
        visit = Visit(context, f"{hub.endpoint}/spaces/ann/static-demo/app/")
        visit.page.fill("#text", TEXT)
        visit.page.press("#text", "Enter")
        visit.wait_answer(TEXT)
        shown = visit.page.locator("#answer .fs-number").all_inner_texts()
        expected = Classifier(release)(TEXT).scores.values()
        assert [float(one.removesuffix(" %")) / 100 for one in shown] == pytest.approx(
            list(expected), abs=0.1
        )
        commit = receipt["space"]["model_revision"]
        assert f"ann/static, revision {commit[:12]}" in visit.page.inner_text("#foot")
        assert all(url.startswith(CDN) for url in visit.elsewhere), visit.elsewhere
        visit.elsewhere.clear()
        visit.check()
        visit.shoot("static-on-a-hub")
        context.close()
