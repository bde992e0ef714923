"""Spaces: variables, secrets, runtime, hardware, pause and restart, logs, and static ones served."""

from __future__ import annotations

import json
import mimetypes
import re
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel, Field

from local_hub.downloads import send
from local_hub.errors import HubError, entry_not_found
from local_hub.own_words import metadata_of
from local_hub.record import Record, Variable, timestamp
from local_hub.request_body import json_body
from local_hub.runtime import runtime_of
from local_hub.spaces import SpaceRunner
from local_hub.variables import VariableKey, VariableValue, check_room
from local_hub.visits import FileReader, Visit, viewer_of, visit_addressed

router = APIRouter()
_BASE = "/api/spaces/{namespace}/{name}"
_CUSTOM_HEADERS = (
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)


class _Variable(BaseModel):
    key: VariableKey
    value: VariableValue = ""
    description: str | None = Field(default=None, max_length=10_000)


class _Key(BaseModel):
    key: str


class _Hardware(BaseModel):
    flavor: str = Field(max_length=100)
    sleepTimeSeconds: int | None = None


class _Sleep(BaseModel):
    seconds: int


def _space(request: Request) -> Visit:
    return visit_addressed(request, viewer_of(request), "spaces")


def _runner(request: Request) -> SpaceRunner | None:
    runner: SpaceRunner | None = request.app.state.spaces
    return runner


def _answers(variables: dict[str, Variable]) -> JSONResponse:
    return JSONResponse({key: variable.answer() for key, variable in variables.items()})


@router.get(_BASE + "/variables")
def variables(request: Request) -> JSONResponse:
    """The variables with their values."""
    space = _space(request)
    space.require_writer(f"read the variables of {space.id}")
    return _answers(space.shelf.record.variables)


@router.post(_BASE + "/variables")
def set_variable(request: Request, body: Annotated[_Variable, json_body(_Variable)]) -> JSONResponse:
    """Add or change a variable; the description stays unless a new one comes."""
    space = _space(request)
    space.require_writer(f"change the variables of {space.id}")

    def change(record: Record) -> Record:
        before = record.variables.get(body.key)
        description = body.description if body.description is not None else before and before.description
        new = Variable(value=body.value, description=description or None, updated_at=timestamp())
        check_room(record.variables, body.key)
        return record.model_copy(update={"variables": {**record.variables, body.key: new}})

    return _answers(_changed(request, space, change).variables)


@router.delete(_BASE + "/variables")
def delete_variable(request: Request, body: Annotated[_Key, json_body(_Key)]) -> JSONResponse:
    """Remove a variable; a missing one is no error."""
    space = _space(request)
    space.require_writer(f"change the variables of {space.id}")

    def change(record: Record) -> Record:
        kept = {key: variable for key, variable in record.variables.items() if key != body.key}
        return record.model_copy(update={"variables": kept})

    return _answers(_changed(request, space, change).variables)


def _changed(request: Request, space: Visit, change: Any) -> Record:  # noqa: ANN401  (a record's change)
    record = space.shelf.update(change)
    runner = _runner(request)
    if runner:
        runner.restart(space.shelf)
    return record


@router.get(_BASE + "/secrets")
def secrets(request: Request) -> JSONResponse:
    """The names of the secrets; never their values."""
    space = _space(request)
    space.require_writer(f"read the secrets of {space.id}")
    return _answers(space.shelf.record.secrets)


@router.post(_BASE + "/secrets")
def set_secret(request: Request, body: Annotated[_Variable, json_body(_Variable)]) -> JSONResponse:
    """Add or change a secret."""
    space = _space(request)
    space.require_writer(f"change the secrets of {space.id}")

    def change(record: Record) -> Record:
        check_room(record.secrets, body.key)
        space.shelf.write_secrets({**space.shelf.secret_values(), body.key: body.value})
        new = Variable(description=body.description, updated_at=timestamp())
        return record.model_copy(update={"secrets": {**record.secrets, body.key: new}})

    return _answers(_changed(request, space, change).secrets)


@router.delete(_BASE + "/secrets")
def delete_secret(request: Request, body: Annotated[_Key, json_body(_Key)]) -> JSONResponse:
    """Remove a secret; a missing one is no error."""
    space = _space(request)
    space.require_writer(f"change the secrets of {space.id}")

    def change(record: Record) -> Record:
        values = space.shelf.secret_values()
        values.pop(body.key, None)
        space.shelf.write_secrets(values)
        kept = {key: secret for key, secret in record.secrets.items() if key != body.key}
        return record.model_copy(update={"secrets": kept})

    return _answers(_changed(request, space, change).secrets)


def _runtime(space: Visit) -> JSONResponse:
    card = metadata_of(space.shelf, space.repository.resolve("main"))
    return JSONResponse(runtime_of(space, card))


@router.get(_BASE + "/runtime")
def runtime(request: Request) -> JSONResponse:
    """Stage, hardware and address of the Space; who asks waits for it, so one that was left asleep starts."""
    space, runner = _space(request), _runner(request)
    if runner:
        runner.wake(space.shelf)
    return _runtime(space)


@router.post(_BASE + "/hardware")
def request_hardware(request: Request, body: Annotated[_Hardware, json_body(_Hardware)]) -> JSONResponse:
    """Remember the wished hardware; here everything runs on this machine."""
    space = _space(request)
    space.require_writer(f"change the hardware of {space.id}")
    update: dict[str, Any] = {"hardware": body.flavor}
    if body.sleepTimeSeconds is not None:
        update["sleep_seconds"] = body.sleepTimeSeconds
    space.shelf.update(lambda record: record.model_copy(update=update))
    return _runtime(space)


@router.post(_BASE + "/sleeptime")
def set_sleep_time(request: Request, body: Annotated[_Sleep, json_body(_Sleep)]) -> JSONResponse:
    """Remember the seconds without visitors after which the real Hub would put the Space to sleep."""
    space = _space(request)
    space.require_writer(f"change the sleep time of {space.id}")
    space.shelf.update(lambda record: record.model_copy(update={"sleep_seconds": body.seconds}))
    return _runtime(space)


@router.post(_BASE + "/pause")
def pause(request: Request) -> JSONResponse:
    """Stop the Space until it is restarted."""
    return _set_paused(request, paused=True)


@router.post(_BASE + "/restart")
def restart(request: Request) -> JSONResponse:
    """Start the Space anew."""
    return _set_paused(request, paused=False)


def _set_paused(request: Request, *, paused: bool) -> JSONResponse:
    space = _space(request)
    space.require_writer(f"{'pause' if paused else 'restart'} {space.id}")
    _changed(request, space, lambda record: record.model_copy(update={"paused": paused}))
    return _runtime(space)


@router.get(_BASE + "/logs/{kind}")
def logs(request: Request, kind: str) -> Response:
    """The build or run log so far, as server-sent events."""
    space = _space(request)
    space.require_writer(f"read the logs of {space.id}")
    if kind not in ("build", "run"):
        raise HubError(404, "There are two logs: build and run.")
    runner = _runner(request)
    lines = runner.log(space.shelf, kind).splitlines() if runner else []
    events = (f"data: {json.dumps({'data': line, 'timestamp': timestamp()})}\n\n" for line in lines)
    return PlainTextResponse("".join(events), media_type="text/event-stream")


@router.get("/{kind}/{namespace}/{name}/app")
def app_without_slash(space: FileReader) -> RedirectResponse:
    """Relative addresses in a page need the slash."""
    return RedirectResponse(f"/{space.id.web_path}/app/")


@router.get("/{kind}/{namespace}/{name}/app/{path:path}")
def static_app(request: Request, space: FileReader, path: str) -> Response:
    """A file of a static Space; a sandbox of the browser keeps its scripts away from this site."""
    space.require_content()
    oid = space.repository.resolve("main")
    card = metadata_of(space.shelf, oid)
    if space.id.kind != "spaces" or card.get("sdk") != "static":
        raise HubError(404, "Only static Spaces are served here.")
    wanted = unquote(path) or str(card.get("app_file") or "index.html")
    entry = space.repository.find(oid, wanted)
    held = space.shelf.large.find(entry.pointer.oid) if entry and entry.pointer else None
    if entry is None or entry.is_folder or (entry.pointer and held is None):
        raise entry_not_found(wanted, oid)
    headers = {
        "Content-Type": mimetypes.guess_type(wanted)[0] or "application/octet-stream",
        "Content-Security-Policy": "sandbox allow-scripts allow-forms allow-popups allow-downloads",
        "ETag": f'"{entry.oid}"',
        **_custom_headers(card),
    }
    if held:
        return send(request, held.path, held.size, headers)
    return send(request, space.repository.blob(entry.oid), entry.size, headers)


def _custom_headers(card: dict[str, Any]) -> dict[str, str]:
    """The isolation headers that a card may ask for, with values that they can have."""
    asked = card.get("custom_headers")
    allowed = re.compile(r"[a-z-]{1,40}")
    return {
        key: value
        for key, value in (asked.items() if isinstance(asked, dict) else ())
        if key.lower() in _CUSTOM_HEADERS and isinstance(value, str) and allowed.fullmatch(value)
    }
