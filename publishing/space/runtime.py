"""What a Space does after a push: waiting until it runs, and what its logs say where it does not."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any

import requests

from publishing.hub import client
from publishing.hub.remote import Reader
from publishing.space.address import SpaceOptions

RUNNING = "RUNNING"
FAILED = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "NO_APP_FILE_ERROR")
ASLEEP = ("STOPPED", "PAUSED", "SLEEPING")
PATIENCE_WITH_SLEEP = 5  # polls; a Space that was just pushed may still be called stopped
LOG_LINES = 25


@dataclass(frozen=True)
class SpaceState:
    """The stage that a Space came to; `message` says why it is not running, with the end of its logs."""

    stage: str
    message: str = ""


def wait_for_space(space: SpaceOptions, commit: str, reader: Reader) -> SpaceState:
    """Poll until the Space runs at a commit, has failed, stays asleep, or took too long."""
    deadline = time.monotonic() + space.wait
    stage, asleep = "UNKNOWN", 0
    while time.monotonic() < deadline:
        runtime = read_runtime(space.repo_id, reader)
        stage = str(runtime.stage)
        running = str(runtime.raw.get("sha") or commit)  # of which commit; not every Hub says
        if stage == RUNNING and running == commit:
            return SpaceState(stage)
        if stage in FAILED:
            why = runtime.raw.get("errorMessage") or ""
            return SpaceState(stage, f"{why}\n{_read_logs(space.repo_id, reader)}".strip())
        asleep = asleep + 1 if stage in ASLEEP else 0
        if asleep >= PATIENCE_WITH_SLEEP:
            return SpaceState(stage, "this Hub does not run it")
        reader.retries.sleep(space.poll)
    return SpaceState(stage, f"not running after {space.wait:.0f} s\n{_read_logs(space.repo_id, reader)}")


def read_runtime(repo_id: str, reader: Reader) -> Any:  # noqa: ANN401  (SpaceRuntime)
    """Return what the Hub says of a running Space."""
    api = reader.connection.api
    return reader.retries.retry("read Space runtime", lambda: api.get_space_runtime(repo_id))


def _read_logs(repo_id: str, reader: Reader) -> str:
    """Return the last lines of build and run, without tokens."""
    lines: list[str] = []
    for kind in ("build", "run"):
        lines += _read_events(f"{reader.connection.endpoint}/api/spaces/{repo_id}/logs/{kind}", reader)
    return reader.connection.redact("\n".join(lines[-LOG_LINES:]))


def _read_event(line: bytes) -> str:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return str(event.get("data", "")).rstrip() if isinstance(event, dict) else ""


def _read_events(url: str, reader: Reader) -> list[str]:
    """Return the lines of a log that comes as server-sent events; a live one is left when it pauses."""
    lines: list[str] = []
    with (
        contextlib.suppress(requests.RequestException),
        client.get(url, reader.connection.token, stream=True) as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith(b"data: "):
                lines.append(_read_event(line[6:]))
    return lines
