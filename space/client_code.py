"""How to call the running demo from elsewhere; the tests run every one of these against it."""

from __future__ import annotations

_PYTHON = """from gradio_client import Client

client = Client("{address}")
print(client.predict("Havnby Marine swings to profit", api_name="/classify"))
print(client.predict(["Profit rose", "Loss widened"], api_name="/classify_batch"))"""

_CURL = """ID=$(curl -s {address}/gradio_api/call/classify -H "Content-Type: application/json" \\
  -d '{{"data": ["Havnby Marine swings to profit"]}}' | cut -d'"' -f4)
curl -sN {address}/gradio_api/call/classify/$ID"""

_MCP = """{{"mcpServers": {{"finsent": {{"url": "{address}/gradio_api/mcp/"}}}}}}"""


def client_code(address: str) -> dict[str, str]:
    """Return title -> code for the app at `address`, which has no slash at its end."""
    return {
        "Python, with gradio_client:": _PYTHON.format(address=address),
        "curl, in two steps:": _CURL.format(address=address),
        "MCP, for assistants and agents:": _MCP.format(address=address),
    }
