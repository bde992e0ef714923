from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from one import HARD_PAIR
from snippets import snippets

from inference.classifier import Classifier
from tests.space.conftest import SPACE, Demo

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


@pytest.fixture(scope="module")
def classifier(release: Path) -> Classifier:
    return Classifier(release)


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.loads(answer.read())


def test_classify_gives_what_the_classifier_gives(client: Client, classifier: Classifier) -> None:
    answer = client.predict(HARD_PAIR[0], api_name="/classify")
    alone = classifier(HARD_PAIR[0])
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
    ],
)
def test_a_wrong_call_is_told_why_and_harms_no_other(
    client: Client, name: str, value: Any, message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(value, api_name=name)
    assert client.predict("Profit rose", api_name="/classify")["label"]


def test_the_public_api_is_three_typed_endpoints(demo: Demo) -> None:
    info = fetch(f"{demo.address}/gradio_api/info")
    assert info["unnamed_endpoints"] == {}
    named = info["named_endpoints"]
    assert sorted(named) == ["/classify", "/classify_batch", "/explain_words"]
    [text] = named["/classify"]["parameters"]
    assert (text["parameter_name"], text["type"]) == ("text", {"type": "string"})
    [texts] = named["/classify_batch"]["parameters"]
    assert (texts["parameter_name"], texts["type"]) == (
        "texts",
        {"type": "array", "items": {"type": "string"}},
    )
    returned = named["/classify"]["returns"][0]["type"]
    assert list(returned["properties"]) == ["label", "score", "scores", "unsure"]


def run(code: str, *command: str) -> str:
    return subprocess.run([*command, code], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_snippets_of_the_page_run(demo: Demo, classifier: Classifier) -> None:
    python, curl, mcp = snippets(demo.address).values()
    label = classifier("Havnby Marine swings to profit").label
    printed = run(python, sys.executable, "-W", "ignore", "-c")
    assert f"'label': '{label}'" in printed
    events = run(curl, "bash", "-c")
    assert re.search(rf'event: complete\s+data: \[{{"label": ?"{label}"', events)
    tools, called = asyncio.run(call_tool(json.loads(mcp)["mcpServers"]["finsent"]["url"]))
    assert tools == ["classify", "classify_batch", "explain_words"]
    assert label in called


async def call_tool(url: str) -> tuple[list[str], str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        opened = streamablehttp_client(url)
    async with opened as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        assert all(tool.description and len(tool.description) > 80 for tool in tools)
        called = await session.call_tool("classify", {"text": "Havnby Marine swings to profit"})
        return [tool.name for tool in tools], str(called.content)


def test_nothing_of_the_machine_is_served(demo: Demo, release: Path) -> None:
    for path in (f"{release}/config.json", f"{SPACE}/app.py", "/etc/hostname"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[0-9]"):
            urllib.request.urlopen(f"{demo.address}/gradio_api/file={path}", timeout=10)


def test_requirements_are_pinned_and_equal_to_those_of_the_project() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), path
        return {name.lower().replace("_", "-"): pin for name, pin in (line.split("==") for line in lines)}

    ours, project = pins(SPACE / "requirements.txt"), pins(SPACE.parent / "requirements.txt")
    assert {name: pin for name, pin in ours.items() if project.get(name, pin) != pin} == {}
    assert set(ours) - set(project) <= {"openpyxl", "et-xmlfile"}
    assert {"gradio", "mcp", "onnxruntime", "tokenizers", "numpy", "pyarrow"} <= set(ours)
