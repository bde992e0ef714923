"""Git LFS: batch, basic and multipart uploads, verify, downloads, and the locks that nobody holds."""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_hub.bodies import feed, json_body
from local_hub.downloads import PIECE, send
from local_hub.errors import HubError, bad_request
from local_hub.hub import Hub
from local_hub.names import RepoId
from local_hub.objects import SHA256
from local_hub.parts import Parts
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
    present = visit.repository.has_object(item.oid) and visit.hub.objects.size(item.oid) is not None
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


def _claim(visit: Visit, item: _Object) -> dict[str, Any]:
    return {"oid": item.oid, "size": item.size, "repo": [visit.id.kind, visit.id.namespace, visit.id.name]}


def _download_url(visit: Visit, oid: str) -> str:
    signature = visit.hub.signer.sign("lfs-download", {"oid": oid})
    return f"{visit.endpoint}/_hub/large/{oid}?signature={signature}"


def _upload_actions(visit: Visit, item: _Object, transfer: str) -> dict[str, Any]:
    signer, settings = visit.hub.signer, visit.hub.settings
    signature = signer.sign("upload", _claim(visit, item), seconds=86400)
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


def _upload_claim(hub: Hub, request: Request, oid: str) -> dict[str, Any]:
    claim = hub.signer.read("upload", request.query_params.get("signature", ""))
    if claim is None or claim["oid"] != oid:
        raise HubError(403, "This upload address is invalid or has expired; ask the LFS batch for a new one.")
    return claim


def _link(hub: Hub, claim: dict[str, Any], oid: str) -> None:
    shelf = hub.catalogue.get(RepoId(*claim["repo"]))
    if shelf is None:
        raise HubError(404, "The repository of this upload is gone.", code="RepoNotFound")
    shelf.repository.link_object(oid)


@router.put("/_hub/large/{oid}")
async def upload(request: Request, hub: TheHub, oid: str) -> Response:
    """Take an object, or one part of it; the address authorises itself, clients send no token here."""
    claim = _upload_claim(hub, request, oid)
    part = request.query_params.get("part")
    if part is not None:
        return await _upload_part(request, hub, claim, part)
    with hub.objects.receive(claim["size"]) as incoming:
        await feed(request, claim["size"], incoming.write)
        await to_thread.run_sync(incoming.keep, oid, claim["size"])
    await to_thread.run_sync(_link, hub, claim, oid)
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
    claim = _upload_claim(hub, request, oid)
    parts = _parts(hub, claim)
    with hub.objects.receive(claim["size"]) as incoming:
        for part in body.parts:
            with parts.path(part.partNumber, part.etag.strip('"')).open("rb") as file:
                while piece := file.read(PIECE):
                    incoming.write(piece)
        incoming.keep(oid, claim["size"])
    _link(hub, claim, oid)
    shutil.rmtree(hub.parts_folder(claim), ignore_errors=True)
    return JSONResponse({"oid": oid})


@router.api_route("/_hub/large/{oid}", methods=["GET", "HEAD"])
def download(request: Request, hub: TheHub, oid: str) -> Response:
    """An object's bytes for git-lfs."""
    claim = hub.signer.read("lfs-download", request.query_params.get("signature", ""))
    size = hub.objects.size(oid) if claim and claim["oid"] == oid else None
    if size is None:
        raise HubError(
            403, "This download address is invalid or has expired; ask the LFS batch for a new one."
        )
    return send(request, hub.objects.path(oid), size, {"ETag": f'"{oid}"'})


@router.post("/{kind}/{namespace}/{name}/info/lfs/objects/verify")
def verify(request: Request, hub: TheHub, body: Annotated[_Object, json_body(_Object)]) -> JSONResponse:
    """Confirm that the object arrived with that size."""
    claim = _upload_claim(hub, request, body.oid)
    shelf = hub.catalogue.get(RepoId(*claim["repo"]))
    if shelf is None or not shelf.repository.has_object(body.oid):
        raise HubError(404, f"The object {body.oid[:64]} was not uploaded to this repository.")
    size = hub.objects.size(body.oid)
    if size != body.size:
        raise bad_request(f"The object {body.oid} has {size} bytes, not {body.size}.")
    return JSONResponse({}, media_type=_MEDIA_TYPE)


@router.post("/{kind}/{namespace}/{name}/info/lfs/locks/verify")
def locks(visit: Reader) -> JSONResponse:
    """There are no locks."""
    visit.require_contributor()
    return JSONResponse({"ours": [], "theirs": []}, media_type=_MEDIA_TYPE)
