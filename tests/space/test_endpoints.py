from __future__ import annotations

import json
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.classifier import Classifier
from tests.space.conftest import SPACE, Demo
from tests.tiny import PAIR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client imports
    from gradio_client import Client
    from gradio_client.exceptions import AppError

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def client(demo: Demo) -> Iterator[Client]:
    client = Client(demo.address, verbose=False, download_files=False)
    yield client
    client.close()


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.loads(answer.read())


def test_classify_gives_what_the_classifier_gives(client: Client, classifier: Classifier) -> None:
    answer = client.predict(PAIR[0], api_name="/classify")
    alone = classifier(PAIR[0])
    assert answer["label"] == alone.label
    assert list(answer["scores"]) == classifier.labels
    assert answer["scores"] == pytest.approx(alone.scores)
    assert answer["score"] == pytest.approx(alone.score)
    assert isinstance(answer["unsure"], bool)


def test_classify_batch_keeps_the_order(client: Client, classifier: Classifier) -> None:
    texts = ["Profit rose", "", "Loss widened sharply at the mill", HOSTILE, "한국"] * 3
    answers = client.predict(texts, api_name="/classify_batch")
    assert [one["label"] for one in answers] == [one.label for one in classifier.classify(texts)]
    assert client.predict([], api_name="/classify_batch") == []


def test_explain_words(client: Client) -> None:
    found = client.predict("Profit rose sharply", api_name="/explain_words")
    assert [one["word"] for one in found["words"]] == ["Profit", "rose", "sharply"]
    assert all(isinstance(one["effect"], float) for one in found["words"])


def test_shapley_values(client: Client, classifier: Classifier) -> None:
    text = PAIR[0]
    found = client.predict(text, api_name="/shapley_values")
    whole = classifier(text)
    alone = whole.score - classifier("  ").scores[whole.label]
    assert found["label"] == whole.label
    assert sum(one["effect"] for one in found["words"]) == pytest.approx(alone, abs=1e-5)
    assert client.predict(text, api_name="/explain_words") != found


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("/classify", 3, "text: got int, expected a string"),
        ("/classify", " ", "text: it is empty"),
        ("/classify", "x" * 1_000_000, "text: it has 1,000,000 characters, at most 10,000"),
        ("/classify_batch", "up", "texts: got str, expected a list of strings"),
        ("/classify_batch", ["up"] * 1001, "texts: got 1,001, at most 1,000"),
        ("/classify_batch", ["up", None], r"texts\[1\]: got NoneType"),
        ("/explain_words", None, "text: got NoneType"),
        ("/shapley_values", " ", "text: it is empty"),
    ],
)
def test_a_wrong_call_is_told_why_and_harms_no_other(
    client: Client, name: str, value: Any, message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(value, api_name=name)
    assert client.predict("Profit rose", api_name="/classify")["label"]


def test_the_public_api_is_four_typed_endpoints(demo: Demo) -> None:
    info = fetch(f"{demo.address}/gradio_api/info")
    assert info["unnamed_endpoints"] == {}
    named = info["named_endpoints"]
    assert sorted(named) == ["/classify", "/classify_batch", "/explain_words", "/shapley_values"]
    [text] = named["/classify"]["parameters"]
    assert (text["parameter_name"], text["type"]) == ("text", {"type": "string"})
    [texts] = named["/classify_batch"]["parameters"]
    assert (texts["parameter_name"], texts["type"]) == (
        "texts",
        {"type": "array", "items": {"type": "string"}},
    )
    returned = named["/classify"]["returns"][0]["type"]
    assert list(returned["properties"]) == ["label", "score", "scores", "unsure"]


def test_nothing_of_the_machine_is_served(demo: Demo, release: Path) -> None:
    for path in (f"{release}/config.json", f"{SPACE}/app.py", "/etc/hostname"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[0-9]"):
            urllib.request.urlopen(f"{demo.address}/gradio_api/file={path}", timeout=10)
