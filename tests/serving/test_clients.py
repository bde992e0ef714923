"""The clients that people have, against the server: none of them is told that it is ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.environments import node_environment
from inference.explain import explain as explain_words
from serving.model import ServedModel
from tests.serving.conftest import TEXTS
from tests.serving.servers import serving


@pytest.mark.parametrize("path", ["", "/models/tiny"])
def test_inference_client_classifies(address: str, model: ServedModel, path: str) -> None:
    found = InferenceClient(model=address + path).text_classification(TEXTS[0], top_k=2)
    scores = model.classifier(TEXTS[0]).scores
    assert [(one.label, one.score) for one in found] == sorted(scores.items(), key=lambda item: -item[1])[:2]


def test_inference_client_takes_a_base_url_and_a_token(model: ServedModel) -> None:
    with serving(model, token="secret") as address:
        found = InferenceClient(base_url=address, token="secret").text_classification(TEXTS[0])
        assert found[0].label == model.classifier(TEXTS[0]).label
        with pytest.raises(HfHubHTTPError, match="401"):
            InferenceClient(base_url=address, token="wrong").text_classification(TEXTS[0])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="no node and npm: @huggingface/inference not tested")
def test_the_javascript_client_classifies(model: ServedModel) -> None:
    folder = node_environment(Path(__file__).with_name("package.json"))
    shutil.copy(Path(__file__).with_name("clients.mjs"), folder)
    texts = TEXTS[:2] + TEXTS[3:]  # it sends no empty text
    with serving(model, token="secret") as address:
        done = subprocess.run(
            ["node", str(folder / "clients.mjs"), address, "secret"],
            input=json.dumps(texts), capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for text, answer in zip(texts, found["answers"], strict=True):
        scores = sorted(model.classifier(text).scores.items(), key=lambda item: -item[1])[:2]
        assert [(one["label"], one["score"]) for one in answer] == scores
    assert found["refused"] == 401


def test_an_openai_style_client_finds_the_model_and_classifies(address: str, model: ServedModel) -> None:
    with httpx.Client(base_url=f"{address}/v1", headers={"Authorization": "Bearer none"}) as client:
        served = client.get("/models").json()["data"][0]["id"]
        answer = client.post("/classify", json={"model": served, "input": TEXTS[:2]}).json()
        other = client.post("/classify", json={"model": "gpt", "input": TEXTS[0]})
    assert (served, answer["model"], answer["object"]) == ("tiny", "tiny", "list")
    assert [item["index"] for item in answer["data"]] == [0, 1]
    assert answer["data"][0]["num_classes"] == len(answer["data"][0]["probs"]) == len(model.labels)
    tokens = sum(len(one.ids) for one in model.classifier.tokenize(TEXTS[:2]))
    assert answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}
    assert (other.status_code, other.json()["error_type"]) == (404, "model_not_found")


def test_curl_classifies(address: str, model: ServedModel) -> None:
    body = json.dumps({"inputs": TEXTS[0]})
    command = ["curl", "-sS", "--noproxy", "*", f"{address}/predict", "-H", "Content-Type: application/json"]
    answer = subprocess.run([*command, "-d", body], capture_output=True, text=True, check=True).stdout
    assert json.loads(answer)[0]["label"] == model.classifier(TEXTS[0]).label


def test_a_scrape_counts_requests_texts_and_labels(model: ServedModel) -> None:
    with serving(replace(model, abstain_below=2.0)) as address:
        httpx.post(f"{address}/predict", json={"inputs": [[text] for text in TEXTS]})
        httpx.post(f"{address}/predict", json={"inputs": ["a", "b"]})
        httpx.get(f"{address}/nowhere")
        scrape = httpx.get(f"{address}/metrics")
    samples = [sample for family in text_string_to_metric_families(scrape.text) for sample in family.samples]
    values = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for sample in samples
    }
    by_name = {
        name: {key[1:]: value for key, value in values.items() if key[0] == name} for name, *_ in values
    }
    assert by_name["finsent_requests_total"] == {
        ("200", "/predict"): 1, ("422", "/predict"): 1, ("404", "other"): 1,
    }  # fmt: skip
    assert by_name["finsent_texts_total"] == by_name["finsent_unsure_total"] == {(): len(TEXTS)}
    assert sum(by_name["finsent_labels_total"].values()) == len(TEXTS)
    assert by_name["finsent_queue_depth"] == {(): 0}
    assert by_name["finsent_request_seconds_count"]["/predict",] == 2


def test_tei_routes_have_the_shapes_of_tei(client: httpx.Client, model: ServedModel) -> None:
    info = client.get("/info").json()
    assert (info["model_id"], info["file_sha256"]) == ("tiny", model.sha256)
    assert info["model_type"]["classifier"]["id2label"]["0"] == model.labels[0]
    tokens = client.post("/tokenize", json={"inputs": "profit rose"}).json()[0]
    assert [token["special"] for token in tokens] == [True, *[False] * (len(tokens) - 2), True]
    assert ["profit rose"[one["start"] : one["stop"]] for one in tokens[1:-1]] == [
        one["text"].removeprefix("##") for one in tokens[1:-1]
    ]
    pair = client.post("/predict", json={"inputs": ["a", "b"]})
    assert pair.status_code == 422 and '[["first"], ["second"]]' in pair.json()["error"]


def test_unsure_and_words_come_when_they_are_asked_for(model: ServedModel) -> None:
    with serving(replace(model, abstain_below=2.0)) as address:
        body = {"inputs": TEXTS[0], "explain": True}
        first, *others = httpx.post(f"{address}/predict", json=body).json()
        item = httpx.post(f"{address}/v1/classify", json={"input": TEXTS[0], "explain": True}).json()["data"][
            0
        ]
    assert [word["text"] for word in first["words"]] == TEXTS[0].split()
    assert item["words"] == first["words"] and first["unsure"] is True and item["unsure"] is True
    assert all(set(one) == {"label", "score"} for one in others)


@pytest.mark.parametrize("route", ["/predict", "/v1/classify"])
def test_words_come_by_shapley_values_where_they_are_asked_for_so(
    client: httpx.Client, model: ServedModel, route: str
) -> None:
    text, key = TEXTS[0], "input" if route == "/v1/classify" else "inputs"

    def ask(explain: object, texts: object = text) -> Any:
        return client.post(route, json={key: texts, "explain": explain})

    def words(answer: httpx.Response) -> Any:
        return (answer.json()["data"] if key == "input" else answer.json())[0]["words"]

    shares = words(ask("shapley"))
    assert shares == [vars(word) for word in explain_words(model.classifier, text, "shapley").words]
    assert words(ask("leave-one-out")) == words(ask(True)) != shares
    many: list[object] = [["a b"]] * 9 if key == "inputs" else ["a b"] * 9
    refused = ask("shapley", many)
    assert refused.status_code == 413
    assert 'explain: got 9 texts for "shapley", allowed are 8' in refused.json()["error"]
    assert ask("leave-one-out", many).status_code == 200
    assert ask("lime").status_code == 422


def test_the_page_has_examples_of_the_release(client: httpx.Client, model: ServedModel) -> None:
    schema = client.get("/openapi.json").json()
    body = schema["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert body == {"inputs": model.examples[0]}
    assert client.post("/predict", json=body).status_code == 200
    assert "swagger" in client.get("/docs").text
