"""How to call the running demo from elsewhere; the tests run every one of these against it."""

from __future__ import annotations

import json
import shlex

from model import Model

_PYTHON = """from gradio_client import Client

client = Client("{address}")
print(client.predict({text}, api_name="/classify"))
print(client.predict({texts}, api_name="/classify_batch"))"""

_CURL = """ID=$(curl -s {address}/gradio_api/call/classify -H "Content-Type: application/json" \\
  -d {body} | cut -d'"' -f4)
curl -sN {address}/gradio_api/call/classify/$ID"""


def client_code(address: str, model: Model) -> dict[str, str]:
    """Return title -> code for the app at `address`, which has no slash at its end."""
    texts = [one.text for one in model.examples[:2]] or ["A text", "Another text"]
    example = texts[0]
    text, both = (json.dumps(value, ensure_ascii=False) for value in (example, texts))
    body = shlex.quote(json.dumps({"data": [example]}, ensure_ascii=False))
    server = {"mcpServers": {"finsent": {"url": f"{address}/gradio_api/mcp/"}}}
    return {
        "Python, with gradio_client:": _PYTHON.format(address=address, text=text, texts=both),
        "curl, in two steps:": _CURL.format(address=address, body=body),
        "MCP, for assistants and agents:": json.dumps(server),
    }
