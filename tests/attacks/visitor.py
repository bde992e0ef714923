"""A visitor of the Gradio app without a browser: the requests that the page would send."""

from __future__ import annotations

import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any


class Visitor:
    """One open page of the app at an address."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, uuid.uuid4().hex
        config = self._fetch(f"{address}/config")
        self._names = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
        self._events = config["dependencies"]

    def send(self, inputs: list[str | None], outputs: list[str | None], data: list[Any]) -> list[Any]:
        """Send the event with these inputs and outputs, named by elem_id; return what it answers."""
        [event] = [
            event
            for event in self._events
            if [self._names[one] for one in event["inputs"]] == inputs
            and [self._names[one] for one in event["outputs"]] == outputs
        ][:1]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": None}
        self._fetch(f"{self.address}/gradio_api/queue/join", json.dumps(body).encode())
        return self._answer()

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file; return what the page sends for it."""
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{border}--\r\n".encode()
        kind = f"multipart/form-data; boundary={border}"
        [kept] = self._fetch(f"{self.address}/gradio_api/upload", body, kind)
        return {"path": kept, "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def _fetch(self, url: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        request = urllib.request.Request(url, body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def _answer(self) -> list[Any]:
        url = f"{self.address}/gradio_api/queue/data?session_hash={self.session}"
        with urllib.request.urlopen(url, timeout=120) as stream:
            for line in stream:
                if not line.startswith(b"data: "):
                    continue
                message = json.loads(line[6:])
                if message["msg"] == "process_completed":
                    assert message["success"], message
                    return list(message["output"]["data"])
        raise AssertionError("the stream ended without an answer")
