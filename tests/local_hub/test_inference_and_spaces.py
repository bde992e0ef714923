from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from huggingface_hub import CommitOperationAdd, HfApi, InferenceClient

from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE
from tests.local_hub.tiny_classifier import LABELS, card, write_tiny_classifier

BEARER = {"Authorization": f"Bearer {WRITE}"}
APP = """
import os
import gradio as gr

gr.Interface(lambda text: os.environ["WORD"] + text, "text", "text", api_name="say").launch()
"""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    write_tiny_classifier(folder)
    (folder / "README.md").write_text(card(), encoding="utf-8")
    return folder


def url_of(server: RunningHub, repo_id: str) -> str:
    return f"{server.endpoint}/hf-inference/models/{repo_id}"


def test_inference_client_gets_what_the_hosted_service_answers(
    server: RunningHub, api: HfApi, model: str, classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.upload_folder(repo_id=model, folder_path=classifier)
    client = InferenceClient(token=WRITE)
    answers = client.text_classification("profit rises", model=url_of(server, model))
    assert {answer.label for answer in answers} == set(LABELS)
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert abs(sum(scores) - 1) < 1e-5
    assert len(client.text_classification("x", model=url_of(server, model), top_k=1)) == 1
    both = requests.post(url_of(server, model), json={"inputs": ["profit", "loss"]}, timeout=60).json()
    assert [len(answer) for answer in both] == [3, 3]
    monkeypatch.setattr(
        "huggingface_hub.inference._providers.hf_inference.constants.INFERENCE_PROXY_TEMPLATE",
        server.endpoint + "/{provider}",
    )
    by_name = InferenceClient(token=WRITE).text_classification("profit rises", model=url_of(server, model))
    assert [answer.label for answer in by_name] == [answer.label for answer in answers]
    refused = requests.post(url_of(server, model), json={"inputs": "word " * 200}, timeout=60)
    assert refused.status_code == 400
    assert "refused the input" in refused.json()["error"]
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: codes.append(
                requests.post(url_of(server, model), json={"inputs": "profit"}, timeout=60).status_code
            )
        )
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 20


@pytest.mark.parametrize(
    "body", [{}, {"inputs": 3}, {"inputs": []}, {"inputs": "x", "parameters": {"top_k": 0}}, []]
)
def test_inference_refuses_what_it_cannot_read(
    server: RunningHub, api: HfApi, model: str, body: object
) -> None:
    answer = requests.post(url_of(server, model), json=body, timeout=30)
    assert answer.status_code == 400


def test_a_broken_model_says_so(server: RunningHub, api: HfApi, model: str) -> None:
    api.upload_file(path_or_fileobj=card().encode(), path_in_repo="README.md", repo_id=model)
    answer = requests.post(url_of(server, model), json={"inputs": "x"}, timeout=60)
    assert answer.status_code == 400
    assert "cannot be loaded" in answer.json()["error"]
    assert "incoming" not in answer.text  # no path of this machine


def test_variables_and_secrets(api: HfApi) -> None:
    space = "ann/variables"
    api.create_repo(
        space, repo_type="space", space_sdk="gradio", space_secrets=[{"key": "FIRST", "value": "hidden-one"}]
    )
    assert api.get_space_variables(space) == {}
    api.add_space_variable(space, "WORD", "a", description="first")
    changed = api.add_space_variable(space, "WORD", "b")
    assert (changed["WORD"].value, changed["WORD"].description) == ("b", "first")
    assert api.delete_space_variable(space, "missing") == changed
    api.add_space_secret(space, "SECRET", "hidden-two")
    listed = requests.get(f"{api.endpoint}/api/spaces/{space}/secrets", headers=BEARER, timeout=10)
    assert set(listed.json()) == {"FIRST", "SECRET"}
    api.delete_space_secret(space, "FIRST")
    everything = (
        listed.text + requests.get(f"{api.endpoint}/api/spaces/{space}", headers=BEARER, timeout=10).text
    )
    assert "hidden" not in everything
    with pytest.raises(requests.HTTPError, match="403"):
        HfApi(endpoint=api.endpoint, token=OTHER).get_space_variables(space)
    with pytest.raises(requests.HTTPError, match="403"):
        HfApi(endpoint=api.endpoint, token=READ).pause_space(space)
    assert api.get_space_runtime(space).stage == "STOPPED"
    assert api.pause_space(space).stage == "PAUSED"


def test_a_static_space_is_served_in_a_sandbox(api: HfApi) -> None:
    api.create_repo("ann/page", repo_type="space", space_sdk="static")
    api.upload_file(
        path_or_fileobj=b"<h1>hello</h1>", path_in_repo="index.html", repo_id="ann/page", repo_type="space"
    )
    assert api.get_space_runtime("ann/page").stage == "RUNNING"
    answer = requests.get(f"{api.endpoint}/spaces/ann/page/app/", timeout=10)
    assert answer.text == "<h1>hello</h1>"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    raw = requests.get(f"{api.endpoint}/spaces/ann/page/resolve/main/index.html", timeout=10)
    assert raw.headers["Content-Type"].startswith("text/plain")


def keys(value: Any) -> Any:
    return {key: keys(inner) for key, inner in value.items()} if isinstance(value, dict) else None


ANSWERS = os.environ.get("FINSENT_HUB_ANSWERS", "")


@pytest.mark.skipif(
    not ANSWERS, reason="FINSENT_HUB_ANSWERS names no folder with recorded answers of the real Hub"
)
@pytest.mark.parametrize(
    "name", ["test_space_runtime", "test_manage_variables", "test_pause_and_restart_space"]
)
def test_answers_have_the_shape_of_the_recorded_ones(server: RunningHub, name: str) -> None:
    """Replayed requests get the status, the content type and the keys that the real Hub gave."""
    recorded = yaml.safe_load((Path(ANSWERS) / f"{name}.yaml").read_text(encoding="utf-8"))["interactions"]
    headers = {"Authorization": f"Bearer {WRITE}"}
    for step in recorded:
        request, response = step["request"], step["response"]
        url = request["uri"].replace("https://huggingface.co", server.endpoint).replace("/user/", "/ann/")
        body = (request["body"] or "").replace('"user"', '"ann"')
        kind = request["headers"].get("Content-Type", ["application/json"])[0]
        answer = requests.request(
            request["method"], url, data=body, headers={**headers, "Content-Type": kind}, timeout=30
        )
        assert answer.status_code == response["status"]["code"], (url, answer.text)
        told = response["headers"]["Content-Type"][0].partition(";")[0]
        assert answer.headers["Content-Type"].partition(";")[0] == told
        if told == "application/json":
            expected = keys(json.loads(response["body"]["string"]))
            assert keys(answer.json()) == expected, url
        for header in ("X-Request-Id", "Access-Control-Expose-Headers"):
            assert header in answer.headers


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, run_spaces=True, xet=False)
    with running_hub(settings) as server:
        yield server


def wait_for(api: HfApi, space: str, *stages: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    seen: list[str] = []
    while time.monotonic() < deadline:
        answer = requests.get(f"{api.endpoint}/api/spaces/{space}/runtime", headers=BEARER, timeout=10).json()
        seen.append(answer["stage"])
        if answer["stage"] in stages:
            return {**answer, "seen": list(dict.fromkeys(seen))}
        time.sleep(0.1)
    raise AssertionError(f"{space} went through {list(dict.fromkeys(seen))}")


def push_app(api: HfApi, space: str, app: str, requirements: str = "") -> None:
    files = {"app.py": app} | ({"requirements.txt": requirements} if requirements else {})
    operations = [CommitOperationAdd(path, text.encode()) for path, text in files.items()]
    api.create_commit(space, operations, commit_message="app", repo_type="space")


@pytest.mark.slow
def test_a_gradio_space_runs_and_pauses(running: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
    api = HfApi(endpoint=running.endpoint, token=WRITE)
    api.create_repo(
        "ann/app", repo_type="space", space_sdk="gradio", space_secrets=[{"key": "WORD", "value": "sssh "}]
    )
    push_app(api, "ann/app", APP)
    told = wait_for(api, "ann/app", "RUNNING", "BUILD_ERROR", "RUNTIME_ERROR")
    assert told["stage"] == "RUNNING", told
    assert told["seen"][-2:] == ["RUNNING_APP_STARTING", "RUNNING"]
    address = f"http://{told['domains'][0]['domain']}"
    call = requests.post(f"{address}/gradio_api/call/say", json={"data": ["text"]}, timeout=30).json()
    events = requests.get(f"{address}/gradio_api/call/say/{call['event_id']}", timeout=30).text
    assert "sssh text" in events
    api.pause_space("ann/app")
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)
    assert wait_for(api, "ann/app", "PAUSED")["hardware"]["current"] is None
    api.restart_space("ann/app")
    again = f"http://{wait_for(api, 'ann/app', 'RUNNING')['domains'][0]['domain']}"
    assert requests.get(again, timeout=10).ok
    api.delete_repo("ann/app", repo_type="space")
    with pytest.raises(requests.ConnectionError):
        requests.get(again, timeout=5)


@pytest.mark.slow
def test_broken_spaces_tell_what_is_wrong(running: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
    api = HfApi(endpoint=running.endpoint, token=WRITE)
    for space, app, requirements, stage, log, text in (
        (
            "ann/raises",
            "raise SystemExit('broken on purpose')",
            "",
            "RUNTIME_ERROR",
            "run",
            "broken on purpose",
        ),
        ("ann/unbuilt", "print()", "./missing.whl\n", "BUILD_ERROR", "build", "missing.whl"),
    ):
        api.create_repo(space, repo_type="space", space_sdk="gradio")
        push_app(api, space, app, requirements)
        wait_for(api, space, stage)
        told = requests.get(f"{api.endpoint}/api/spaces/{space}/logs/{log}", headers=BEARER, timeout=10).text
        assert text in told
