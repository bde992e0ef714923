from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import warnings

from client_code import client_code
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from model import Model

from inference.classifier import Classifier
from tests.space.conftest import Demo


def run(code: str, *command: str) -> str:
    return subprocess.run([*command, code], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_snippets_of_the_page_run(demo: Demo, classifier: Classifier, model: Model) -> None:
    python, curl, mcp = client_code(demo.address, model).values()
    example = model.examples[0].text
    label = classifier(example).label
    printed = run(python, sys.executable, "-W", "ignore", "-c")
    assert f"'label': '{label}'" in printed
    events = run(curl, "bash", "-c")
    assert re.search(rf'event: complete\s+data: \[{{"label": ?"{label}"', events)
    tools, called = asyncio.run(call_tool(json.loads(mcp)["mcpServers"]["finsent"]["url"], example))
    assert tools == ["classify", "classify_batch", "explain_words", "shapley_values"]
    assert label in called


async def call_tool(url: str, text: str) -> tuple[list[str], str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        opened = streamablehttp_client(url)
    async with opened as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        assert all(tool.description and len(tool.description) > 80 for tool in tools)
        said = " ".join(str(tool.description) for tool in tools)
        assert "Classify one headline. A classifier for tests." in said and "{" not in said
        called = await session.call_tool("classify", {"text": text})
        return [tool.name for tool in tools], str(called.content)
