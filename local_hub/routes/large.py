"""Git LFS: batch, basic and multipart uploads, verify, downloads, and the locks that nobody holds."""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_hub.accounts import Viewer
from local_hub.downloads import PIECE, send
from local_hub.errors import HubError, bad_request
from local_hub.hub import Hub
from local_hub.objects import SHA256
from local_hub.parts import Parts
from local_hub.passes import Claim, open_pass, sign_pass
from local_hub.request_body import feed, json_body
from local_hub.room import require_room
from local_hub.routes.xet import token_headers
from local_hub.visits import Reader, TheHub, Visit

router = APIRouter()
_MEDIA_TYPE = "application/vnd.git-lfs+json"
_MAX_OBJECT = 1 << 40


class _Object(BaseModel):
    oid: str
    size: int = Field(ge=0, le=_MAX_OBJECT)


class _Batch(BaseModel):
    operation: Literal["upload", "download"]
    transfers: list[str] = ["basic"]
    objects: list[_Object] = Field(max_length=1000)
    hash_algo: str = "sha256"


class _Part(BaseModel):
    partNumber: int = Field(ge=1, le=100_000)
    etag: str


class _Completion(BaseModel):
    oid: str
    parts: list[_Part] = Field(max_length=100_000)


@router.post("/{kind}/{namespace}/{name}/info/lfs/objects/batch")
def batch(visit: Reader, body: Annotated[_Batch, json_body(_Batch)]) -> JSONResponse:
    """How each object is to be sent or fetched; no actions mean that this repository has it already."""
    if body.operation == "upload":
        visit.require_contributor()
    else:
        visit.require_content()
    transfer = _choose_transfer(visit.hub, body)
    answers = [_object_answer(visit, item, body.operation, transfer) for item in body.objects]
    if body.operation == "upload":
        require_room(visit.hub.incoming, sum(answer["size"] for answer in answers if "actions" in answer))
    answer = {"transfer": transfer, "objects": answers, "hash_algo": "sha256"}
    return JSONResponse(answer, media_type=_MEDIA_TYPE)


def _choose_transfer(hub: Hub, body: _Batch) -> str:
    if body.operation == "download":
        return "basic"
    if hub.settings.xet and "xet" in body.transfers:
        return "xet"
    large = any(item.size > hub.settings.multipart_threshold for item in body.objects)
    return "multipart" if large and "multipart" in body.transfers else "basic"


def _object_answer(visit: Visit, item: _Object, operation: str, transfer: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"oid": item.oid, "size": item.size}
    if not SHA256.fullmatch(item.oid):
        return {
            **answer,
            "error": {"code": 422, "message": "The oid must be a sha256 in lower-case hexadecimal."},
        }
    present = visit.find_object(item.oid) is not None
    if operation == "download":
        if not present:
            return {**answer, "error": {"code": 404, "message": "The object does not exist."}}
        return {
            **answer,
            "authenticated": True,
            "actions": {"download": {"href": _download_url(visit, item.oid)}},
        }
    if present:
        return answer
    return {**answer, "authenticated": True, "actions": _upload_actions(visit, item, transfer)}


def _download_url(visit: Visit, oid: str) -> str:
    signature = sign_pass(visit, "lfs-download", oid=oid)
    return f"{visit.endpoint}/_hub/large/{oid}?signature={signature}"


def _upload_actions(visit: Visit, item: _Object, transfer: str) -> dict[str, Any]:
    settings = visit.hub.settings
    signature = sign_pass(visit, "upload", seconds=86400, oid=item.oid, size=item.size)
    href = f"{visit.endpoint}/_hub/large/{item.oid}?signature={signature}"
    # git-lfs sends no credentials to the addresses of an answer, so this one authorises itself, too.
    verify = {"href": f"{visit.page}.git/info/lfs/objects/verify?signature={signature}"}
    if transfer == "xet":
        return {"upload": _xet_action(visit), "verify": verify}
    if transfer == "basic" or item.size <= settings.multipart_threshold:
        return {"upload": {"href": href}, "verify": verify}
    count = -(-item.size // settings.part_size)
    header = {f"{number:05d}": f"{href}&part={number}" for number in range(1, count + 1)}
    header["chunk_size"] = str(settings.part_size)
    complete = href.replace("/_hub/large/", "/_hub/multipart/")
    return {"upload": {"href": complete, "header": header}, "verify": verify}


def _xet_action(visit: Visit) -> dict[str, Any]:
    """The upload action for Xet: where to refresh the token, and a first token in the headers."""
    href = f"{visit.endpoint}/api/{visit.id.kind}/{visit.id}/xet-write-token/main"
    return {"href": href, "header": token_headers(visit, "write")}


def _open_upload(request: Request, oid: str) -> tuple[Visit, Viewer, Claim]:
    """Where the upload goes, who sends it and what was announced."""
    opened = open_pass(request, "upload", request.query_params.get("signature", ""))
    if opened is None or opened[1]["oid"] != oid:
        raise HubError(403, "This upload address is invalid or has expired; ask the LFS batch for a new one.")
    visit, claim = opened
    return visit, visit.require_contributor(), claim


@router.put("/_hub/large/{oid}")
async def upload(request: Request, hub: TheHub, oid: str) -> Response:
    """Take an object, or one part of it; the address authorises itself, clients send no token here."""
    visit, sender, claim = _open_upload(request, oid)
    part = request.query_params.get("part")
    if part is not None:
        return await _upload_part(request, hub, claim, part)
    with hub.objects.receive(claim["size"]) as incoming:
        await feed(request, claim["size"], incoming.write)
        await to_thread.run_sync(visit.shelf.large.keep, incoming, oid, claim["size"], sender.name)
    return Response(status_code=200, headers={"ETag": f'"{oid}"'})


def _parts(hub: Hub, claim: dict[str, Any]) -> Parts:
    return Parts(hub.parts_folder(claim), claim["size"], hub.settings.part_size)


async def _upload_part(request: Request, hub: Hub, claim: dict[str, Any], part: str) -> Response:
    parts = _parts(hub, claim)
    limit = parts.room_of(part)
    etag = await parts.keep(part, lambda sink: feed(request, limit, sink))
    return Response(status_code=200, headers={"ETag": f'"{etag}"'})


@router.post("/_hub/multipart/{oid}")
def complete(
    request: Request, hub: TheHub, oid: str, body: Annotated[_Completion, json_body(_Completion)]
) -> JSONResponse:
    """Put the parts together in the order that the client gives."""
    visit, sender, claim = _open_upload(request, oid)
    parts = _parts(hub, claim)
    with hub.objects.receive(claim["size"]) as incoming:
        for part in body.parts:
            with parts.path(part.partNumber, part.etag.strip('"')).open("rb") as file:
                while piece := file.read(PIECE):
                    incoming.write(piece)
        visit.shelf.large.keep(incoming, oid, claim["size"], sender.name)
    shutil.rmtree(hub.parts_folder(claim), ignore_errors=True)
    return JSONResponse({"oid": oid})


@router.api_route("/_hub/large/{oid}", methods=["GET", "HEAD"])
def download(request: Request, oid: str) -> Response:
    """An object's bytes for git-lfs."""
    opened = open_pass(request, "lfs-download", request.query_params.get("signature", ""))
    held = opened[0].find_object(oid) if opened and opened[1]["oid"] == oid and opened[0].may_read else None
    if held is None:
        raise HubError(
            403, "This download address is invalid or has expired; ask the LFS batch for a new one."
        )
    return send(request, held.path, held.size, {"ETag": f'"{oid}"'})


@router.post("/{kind}/{namespace}/{name}/info/lfs/objects/verify")
def verify(request: Request, body: Annotated[_Object, json_body(_Object)]) -> JSONResponse:
    """Confirm that the object arrived with that size."""
    visit, _, _ = _open_upload(request, body.oid)
    held = visit.find_object(body.oid)
    if held is None:
        raise HubError(404, f"The object {body.oid[:64]} was not uploaded to this repository.")
    if held.size != body.size:
        raise bad_request(f"The object {body.oid} has {held.size} bytes, not {body.size}.")
    return JSONResponse({}, media_type=_MEDIA_TYPE)


@router.post("/{kind}/{namespace}/{name}/info/lfs/locks/verify")
def locks(visit: Reader) -> JSONResponse:
    """There are no locks."""
    visit.require_contributor()
    return JSONResponse({"ours": [], "theirs": []}, media_type=_MEDIA_TYPE)
