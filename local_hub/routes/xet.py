"""Xet: tokens at the Hub, and the content-addressed storage that they open."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from local_hub.bodies import feed, whole
from local_hub.catalogue import Shelf
from local_hub.downloads import requested_span, send
from local_hub.errors import HubError
from local_hub.hub import Hub
from local_hub.names import RepoId
from local_hub.room import guarded
from local_hub.visits import Reader, TheHub, Visit, endpoint_of, xet_endpoint
from local_hub.xet import MAX_SHARD_BYTES, MAX_XORB_BYTES, check_hash, read_shard

router = APIRouter()
_CAS = "/_hub/xet/{kind}/{namespace}/{name}"
_SECONDS = 3600


def _token(visit: Visit, scope: str) -> tuple[str, int]:
    claim = {"repo": [visit.id.kind, visit.id.namespace, visit.id.name], "scope": scope}
    token = visit.hub.signer.sign("xet", claim, seconds=_SECONDS)
    read = visit.hub.signer.read("xet", token)
    assert read is not None
    return token, int(read["exp"])


def token_headers(visit: Visit, scope: str) -> dict[str, str]:
    """A fresh token in the headers that the older clients read."""
    token, expires = _token(visit, scope)
    return {
        "X-Xet-Cas-Url": xet_endpoint(visit),
        "X-Xet-Access-Token": token,
        "X-Xet-Token-Expiration": str(expires),
        "X-Xet-Session-Id": visit.shelf.record.id,
    }


def _token_answer(visit: Visit, scope: str) -> JSONResponse:
    headers = token_headers(visit, scope)
    body = {
        "accessToken": headers["X-Xet-Access-Token"],
        "exp": int(headers["X-Xet-Token-Expiration"]),
        "casUrl": headers["X-Xet-Cas-Url"],
    }
    return JSONResponse(body, headers=headers)


def _require_xet(visit: Visit) -> None:
    if not visit.hub.settings.xet:
        raise HubError(404, "This Hub was started without Xet; set HF_HUB_DISABLE_XET=1.")


@router.get("/api/{kind}/{namespace}/{name}/xet-write-token/{revision:path}")
def write_token(visit: Reader, revision: str) -> JSONResponse:
    """A token to upload with; the revision may be the word None for pull requests, so it is not looked up."""
    _require_xet(visit)
    visit.require_contributor()
    return _token_answer(visit, "write")


@router.get("/api/{kind}/{namespace}/{name}/xet-read-token/{revision:path}")
def read_token(visit: Reader, revision: str) -> JSONResponse:
    """A token to download with."""
    _require_xet(visit)
    visit.require_content()
    visit.repository.resolve(unquote(revision))
    return _token_answer(visit, "read")


def _shelf(hub: Hub, request: Request, scope: str) -> Shelf:
    """The repository whose storage the token opens; 401 or 403 otherwise."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    claim: dict[str, Any] | None = hub.signer.read("xet", token)
    if claim is None:
        raise HubError(401, "The Xet token is invalid or has expired.")
    path = request.path_params
    wanted = [path["kind"], unquote(path["namespace"]), unquote(path["name"])]
    shelf = hub.catalogue.get(RepoId(*claim["repo"]))
    if claim["repo"] != wanted or shelf is None or (scope == "write" and claim["scope"] != "write"):
        raise HubError(403, f"The Xet token does not allow to {scope} here.")
    return shelf


@router.post(_CAS + "/v1/xorbs/{prefix}/{xorb}")
async def upload_xorb(request: Request, hub: TheHub, xorb: str) -> dict[str, bool]:
    """Take a xorb."""
    shelf = _shelf(hub, request, "write")
    check_hash(xorb)
    path = shelf.xet.temporary()
    try:
        with path.open("wb") as file:
            await feed(request, MAX_XORB_BYTES, guarded(file.write, path.parent))
        inserted = await to_thread.run_sync(shelf.xet.keep_xorb, xorb, path)
    finally:
        path.unlink(missing_ok=True)
    return {"was_inserted": inserted}


@router.post(_CAS + "/v1/shards")
async def upload_shard(request: Request, hub: TheHub) -> dict[str, int]:
    """Take a shard: every file that it describes is put together, verified and given to the repository."""
    shelf = _shelf(hub, request, "write")
    body = await whole(request, MAX_SHARD_BYTES)

    def keep() -> None:
        recipes = read_shard(body)
        shelf.xet.check_files(recipes)
        for recipe in recipes:
            shelf.repository.link_object(shelf.xet.keep_file(recipe).oid)

    await to_thread.run_sync(keep)
    return {"result": 1}


@router.get(_CAS + "/v1/reconstructions/{file_hash}")
def reconstruction(request: Request, hub: TheHub, file_hash: str) -> JSONResponse:
    """Which bytes of which xorbs make up a file or a range of it; xorb addresses authorise themselves."""
    shelf = _shelf(hub, request, "read")
    recipe = shelf.xet.recipe(file_hash)
    span = requested_span(request.headers.get("range"), recipe.size)
    bounds = (span.start, span.end) if span else (0, recipe.size)
    base = f"{endpoint_of(request)}/_hub/xet/{shelf.id.kind}/{shelf.id}"
    signature = hub.signer.sign("xorb", {"repo": shelf.record.id}, seconds=_SECONDS)
    url = f"{base}/xorbs/{{xorb}}?signature={signature}"
    return JSONResponse(shelf.xet.reconstruction(recipe, bounds, url))


@router.api_route(_CAS + "/xorbs/{xorb}", methods=["GET", "HEAD"])
def download_xorb(request: Request, hub: TheHub, kind: str, namespace: str, name: str, xorb: str) -> Response:
    """The bytes of a xorb."""
    claim = hub.signer.read("xorb", request.query_params.get("signature", ""))
    shelf = next((known for known in hub.catalogue.all() if claim and known.record.id == claim["repo"]), None)
    if shelf is None:
        raise HubError(403, "This xorb address is invalid or has expired.")
    path = shelf.xet.xorb_path(xorb)
    return send(request, path, path.stat().st_size, {"ETag": f'"{xorb}"'})


@router.post(_CAS + "/v1/telemetry")
async def telemetry(request: Request) -> Response:
    """Clients report their speed; nothing is kept."""
    await whole(request, 1 << 20)
    return Response(status_code=200)
