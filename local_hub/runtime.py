"""What a Space is doing, as the real Hub tells it: always with a stage, which clients read unasked."""

from __future__ import annotations

from typing import Any

from local_hub.visits import Visit

_SLEEP_SECONDS = 172_800


def stage_of(visit: Visit, card: dict[str, Any]) -> tuple[str, str | None]:
    """The stage and, after a failure, what happened; where Spaces are not run, a Gradio Space is STOPPED."""
    if card.get("sdk") == "static":
        return "RUNNING", None
    runner = visit.hub.spaces
    stage, message = runner.stage(visit.shelf) if runner else ("STOPPED", None)
    return ("PAUSED" if visit.shelf.record.paused else stage), message


def address_of(visit: Visit, framed: bool = False) -> str | None:
    """Where the running app answers, None while it does not; `framed` for a frame of the Hub's own pages."""
    runner = visit.hub.spaces
    return runner.address(visit.shelf, visit.endpoint, framed=framed) if runner else None


def runtime_of(visit: Visit, card: dict[str, Any]) -> dict[str, Any]:
    """Stage, hardware and address of a Space whose main branch has this card."""
    record = visit.shelf.record
    stage, message = stage_of(visit, card)
    replicas = {"requested": 1, "current": 1}
    if card.get("sdk") == "static":
        hardware = {"current": None, "requested": None}
        return {"stage": stage, "hardware": hardware, "storage": None, "replicas": replicas}
    requested, running = record.hardware or "cpu-basic", stage == "RUNNING"
    address = address_of(visit) or f"{visit.page}/app/"
    answer: dict[str, Any] = {
        "stage": stage,
        "hardware": {"current": requested if running else None, "requested": requested},
        "storage": None,
        "gcTimeout": record.sleep_seconds or _SLEEP_SECONDS,
        "replicas": replicas if running else {"requested": 1},
        "devMode": False,
        "domains": [{"domain": address.split("://", 1)[1].rstrip("/"), "stage": "READY"}],
    }
    return answer | ({"errorMessage": message} if message else {})
