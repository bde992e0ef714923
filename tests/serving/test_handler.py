"""handler.py of a release, driven as Inference Endpoints drive it, by the clients that people have."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from huggingface_hub import InferenceClient

from finsent import REPOSITORY
from finsent.environment import environment_in
from finsent.onnx_files import DEFAULTS, FP32, ONNX_FILES, QUANTIZED
from finsent.release import ENDPOINT_FILES, TRANSFORMERS_FILES, WEIGHTS
from inference.classifier import Classifier
from serving import handler
from serving.handler import EndpointHandler
from serving.limits import Limits
from serving.routes.hosted import Parameters
from tests.local_hub.test_other_clients import node_folder  # noqa: F401  (installed once for both)
from tests.serving.conftest import TEXTS

TOOLKIT = Path(__file__).with_name("toolkit.py")


@pytest.fixture(scope="module")
def repository(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the platform has of a release where it downloads the whole of it."""
    return Path(shutil.copytree(tiny_release, tmp_path_factory.mktemp("platform") / "repository"))


@pytest.fixture(scope="module")
def endpoint(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    environment = environment_in(home) | {"HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-P", str(TOOLKIT), str(repository)]
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, "the toolkit could not load the handler"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def classifier(repository: Path) -> Classifier:
    return Classifier(repository)


def post(endpoint: str, body: object, query: str = "") -> httpx.Response:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(endpoint + query, content=content, headers=headers, timeout=60)


def ranked(scores: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda item: -item[1])


def test_inference_client_gets_every_label(endpoint: str, classifier: Classifier) -> None:
    for text in TEXTS:
        found = InferenceClient(model=endpoint).text_classification(text)
        assert [(one.label, one.score) for one in found] == ranked(classifier(text).scores)


def test_inference_client_chooses_labels_and_activation(endpoint: str, classifier: Classifier) -> None:
    logits = classifier.logits(TEXTS[:1])[0]
    expected = {"none": logits, "sigmoid": 1 / (1 + np.exp(-logits.astype(np.float64)))}
    client = InferenceClient(model=endpoint)
    for function, row in expected.items():
        found = client.text_classification(TEXTS[0], top_k=2, function_to_apply=function)
        scores = dict(zip(classifier.labels, row.astype(np.float32).tolist(), strict=True))
        assert [(one.label, one.score) for one in found] == ranked(scores)[:2]


def test_a_list_gets_a_list_for_each_text(endpoint: str, classifier: Classifier) -> None:
    answer = post(endpoint, {"inputs": TEXTS, "parameters": None}).json()
    expected = [
        [{"label": label, "score": score} for label, score in ranked(classifier(text).scores)]
        for text in TEXTS
    ]
    assert answer == expected
    assert post(endpoint, {"inputs": TEXTS[0], "parameters": {"top_k": None}}).json() == expected[:1]
    assert post(endpoint, {"inputs": TEXTS[:1]}, "?top_k=1").json() == [expected[0][:1]]


def test_what_answers_is_the_code_of_the_repository_alone(endpoint: str, repository: Path) -> None:
    lines = httpx.get(f"{endpoint}/loaded").text.splitlines()
    files = dict(line.split(" ", 1) for line in lines)
    assert files["inference.classifier"] == str(repository / "inference" / "classifier.py")
    rooms = {name.partition(".")[0] for name in files}
    assert not rooms & {"finsent", "serving", "torch", "transformers", "model_card"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("inputs", 'body: got str, expected an object such as {"inputs": "a text"}'),
        (["inputs"], "body: got list"),
        ({"instances": ["a"]}, "body: got an object with the keys ['instances']"),
        ({"inputs": None}, "inputs: got nothing, expected a text or a list of texts"),
        ({"inputs": {"text": "a"}}, "inputs: got an object with the keys ['text']"),
        ({"inputs": 7}, "inputs: got int"),
        ({"inputs": []}, "inputs: got 0 texts, allowed are 1 to 256"),
        ({"inputs": ["a"] * 257}, "inputs: got 257 texts"),
        ({"inputs": ["a", 1.5]}, "inputs: text 1 is float, expected a string"),
        ({"inputs": ["a", ["b"]]}, "inputs: text 1 is list"),
        ({"inputs": "x" * 100_001}, "inputs: text 0 has 100001 characters, allowed are 100000"),
        ({"inputs": "a", "parameters": [1]}, "parameters: got list"),
        ({"inputs": "a", "parameters": {"top_k": 0}}, "parameters.top_k: got 0, expected a number from 1"),
        ({"inputs": "a", "parameters": {"top_k": True}}, "parameters.top_k: got True"),
        ({"inputs": "a", "parameters": {"top_k": "2"}}, "parameters.top_k: got '2'"),
        ({"inputs": "a", "parameters": {"function_to_apply": "relu"}}, "allowed are softmax, sigmoid, none"),
        ({"inputs": "a", "parameters": {"function_to_apply": ["none"]}}, "function_to_apply: got ['none']"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_understood_is_told_why(endpoint: str, body: object, told: str) -> None:
    answer = post(endpoint, body)
    assert answer.status_code == 400
    assert told in answer.json()["error"]


def test_the_longest_text_and_the_most_texts_are_answered(endpoint: str) -> None:
    for inputs in ("profit rose " * 8_333, ["", "한국어" * 300, "a" * 100_000], ["a"] * 256):
        answer = post(endpoint, {"inputs": inputs})
        assert answer.status_code == 200, answer.text
        count = 1 if isinstance(inputs, str) else len(inputs)
        sums = [sum(one["score"] for one in labels) for labels in answer.json()]
        assert sums == pytest.approx([1] * count, abs=1e-5)


def partly(repository: Path, folder: Path, *files: str) -> Path:
    """Return a folder with what a platform downloaded that takes only some files."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / name, folder / name)
    return folder


SETTINGS = tuple(name for name in TRANSFORMERS_FILES if name != WEIGHTS)


@pytest.mark.parametrize("weights", [FP32.path, WEIGHTS])
def test_what_was_downloaded_answers_and_the_log_says_so(
    weights: str, repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = partly(repository, tmp_path, *SETTINGS, weights)
    with caplog.at_level(logging.WARNING):
        endpoint = EndpointHandler(str(folder))
    [told] = [one.getMessage() for one in caplog.records if one.name == handler.__name__]
    assert f"{weights} answers" in told and str(folder) in told
    texts = [*TEXTS, "a lone \ud800 surrogate"] * 7  # more than one batch
    answers = endpoint({"inputs": texts, "parameters": {"top_k": None}})
    expected = Classifier(repository, FP32.path).classify(texts)
    for answer, one in zip(answers, expected, strict=True):
        assert {label["label"]: label["score"] for label in answer} == pytest.approx(one.scores, abs=1e-5)


def test_the_quantized_file_answers_without_a_word(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        EndpointHandler(str(repository))
    assert [one for one in caplog.records if one.name == handler.__name__] == []


def test_no_weights_are_told_with_what_to_do(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"has none of onnx/model_quantized\.onnx, .*HF_FRAMEWORK=onnx"
    ):
        EndpointHandler(str(partly(repository, tmp_path, *SETTINGS)))


def test_no_path_is_the_folder_of_the_process(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    answer: list[list[dict[str, Any]]] = EndpointHandler()({"inputs": "profit rose"})
    assert len(answer) == 1 and {one["label"] for one in answer[0]} == set(Classifier(repository).labels)


def test_what_the_handler_knows_by_heart_is_what_the_project_says() -> None:
    assert [ONNX_FILES[name].path for name in DEFAULTS] == list(handler.ONNX_FILES)
    assert handler.ONNX_FILES[0] == QUANTIZED.path and handler.WEIGHTS == WEIGHTS
    assert (Limits().texts, Limits().characters) == (handler.MOST_TEXTS, handler.MOST_CHARACTERS)
    assert Parameters().top_k == handler.MOST_LABELS


def test_a_release_holds_all_that_the_handler_imports(tiny_release: Path) -> None:
    assert [name for name in ENDPOINT_FILES if not (tiny_release / name).is_file()] == []


def test_the_blocks_of_the_document_run(endpoint: str, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    (tmp_path / "runs" / "quickstart" / "release").symlink_to(repository)
    text = (REPOSITORY / "docs" / "endpoints.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?s)```(bash|python)\n(.*?)```", text)
    assert [language for language, _ in blocks] == ["bash", "python", "python"]
    environment = environment_in(tmp_path) | {
        "ENDPOINT_URL": endpoint,
        "HF_TOKEN": "hf_none",
        "no_proxy": "*",
    }
    for language, code in blocks:
        command = ["bash", "-euc", code] if language == "bash" else [sys.executable, "-B", "-c", code]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        assert "score" in done.stdout and "error" not in done.stdout, done.stdout


@pytest.mark.slow
def test_the_javascript_client_gets_every_label(
    endpoint: str,
    classifier: Classifier,
    node_folder: Path,  # noqa: F811
) -> None:
    call = f"textClassification({{ endpointUrl: {endpoint!r}, inputs: {TEXTS[0]!r} }})"
    code = (
        "import { InferenceClient } from '@huggingface/inference';\n"
        f"console.log(JSON.stringify(await new InferenceClient().{call}));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        cwd=node_folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    found = [(one["label"], one["score"]) for one in json.loads(done.stdout)]
    assert found == ranked(classifier(TEXTS[0]).scores)
