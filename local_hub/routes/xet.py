"""Xet: tokens at the Hub, and the content-addressed storage that they open."""

from __future__ import annotations

from urllib.parse import unquote

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from local_hub.accounts import Viewer
from local_hub.downloads import Span, requested_span, send
from local_hub.errors import HubError
from local_hub.names import RepoId
from local_hub.passes import open_pass, sign_pass
from local_hub.request_body import feed, whole
from local_hub.room import guarded
from local_hub.visits import Reader, Visit
from local_hub.xet import MAX_SHARD_BYTES, XetStore
from local_hub.xet_formats import MAX_XORB_BYTES, check_hash, read_shard

router = APIRouter()
_CAS = "/_hub/xet/{kind}/{namespace}/{name}"
_LANE = _CAS + "/{lane}"
_SECONDS = 3600


def xet_endpoint(visit: Visit) -> str:
    """The repository's own content-addressed storage.

    Clients remember by address what they have sent. So it names the repository's record, for another one may
    get the same id later, and whoever only contributes, for his chunks are kept apart from the owners'.
    """
    lane = visit.shelf.record.id
    if visit.viewer and not visit.is_owner:
        lane += f"-{visit.viewer.name}"
    return f"{visit.endpoint}/_hub/xet/{visit.id.kind}/{visit.id}/{lane}"


def token_headers(visit: Visit, scope: str) -> dict[str, str]:
    """A fresh token in the headers that the older clients read."""
    token = sign_pass(visit, "xet", seconds=_SECONDS, scope=scope)
    read = visit.hub.signer.read("xet", token)
    assert read is not None
    return {
        "X-Xet-Cas-Url": xet_endpoint(visit),
        "X-Xet-Access-Token": token,
        "X-Xet-Token-Expiration": str(read["exp"]),
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


def _open(request: Request, scope: str) -> Visit:
    """The repository whose storage the token opens; 401 or 403 otherwise."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    opened = open_pass(request, "xet", token)
    if opened is None:
        raise HubError(401, "The Xet token is invalid or has expired.")
    visit, claim = opened
    path, catalogue = request.path_params, visit.hub.catalogue
    addressed = RepoId(path["kind"], unquote(path["namespace"]), unquote(path["name"]))
    shelf = catalogue.get(addressed) or catalogue.find_moved(addressed)
    if shelf is not visit.shelf or (scope == "write" and claim["scope"] != "write"):
        raise HubError(403, f"The Xet token does not allow to {scope} here.")
    return visit


def _open_store(request: Request) -> tuple[Visit, Viewer, XetStore]:
    """Where the chunks of whoever holds the token go: the owners' are shared, everybody else has his own."""
    visit = _open(request, "write")
    viewer = visit.require_contributor()
    return visit, viewer, visit.shelf.xet if visit.is_owner else visit.shelf.xet_of(viewer.name)


@router.post(_CAS + "/v1/xorbs/{prefix}/{xorb}")
@router.post(_LANE + "/v1/xorbs/{prefix}/{xorb}")
async def upload_xorb(request: Request, xorb: str) -> dict[str, bool]:
    """Take a xorb."""
    _, _, store = _open_store(request)
    check_hash(xorb)
    path = store.temporary()
    try:
        with path.open("wb") as file:
            await feed(request, MAX_XORB_BYTES, guarded(file.write, path.parent))
        inserted = await to_thread.run_sync(store.keep_xorb, xorb, path)
    finally:
        path.unlink(missing_ok=True)
    return {"was_inserted": inserted}


@router.post(_CAS + "/v1/shards")
@router.post(_LANE + "/v1/shards")
async def upload_shard(request: Request) -> dict[str, int]:
    """Take a shard: every file that it describes is put together, verified and given to the repository."""
    visit, sender, store = _open_store(request)
    body = await whole(request, MAX_SHARD_BYTES)

    def keep() -> None:
        recipes = read_shard(body)
        store.check_files(recipes)
        for recipe in recipes:
            visit.shelf.large.note(store.keep_file(recipe).oid, sender.name)

    await to_thread.run_sync(keep)
    return {"result": 1}


@router.get(_CAS + "/v1/reconstructions/{file_hash}")
@router.get(_LANE + "/v1/reconstructions/{file_hash}")
def reconstruction(request: Request, file_hash: str) -> JSONResponse:
    """Which bytes of which xorbs make up a file or a range of it; each address opens just these bytes."""
    visit = _open(request, "read")
    visit.require_content()
    recipe = visit.shelf.xet.recipe(file_hash)
    if recipe.sha256 is None or visit.find_object(recipe.sha256) is None:
        raise HubError(404, f"There is no file {file_hash}.")
    span = requested_span(request.headers.get("range"), recipe.size)
    bounds = (span.start, span.end) if span else (0, recipe.size)

    def address(xorb: str, first: int, last: int) -> str:
        signature = sign_pass(visit, "xorb", seconds=_SECONDS, xorb=xorb, first=first, last=last)
        return f"{xet_endpoint(visit)}/xorbs/{xorb}?signature={signature}"

    return JSONResponse(visit.shelf.xet.reconstruction(recipe, bounds, address))


@router.api_route(_CAS + "/xorbs/{xorb}", methods=["GET", "HEAD"])
@router.api_route(_LANE + "/xorbs/{xorb}", methods=["GET", "HEAD"])
def download_xorb(request: Request, xorb: str) -> Response:
    """Bytes of a xorb: those that the address was made for, because other files may share the xorb."""
    opened = open_pass(request, "xorb", request.query_params.get("signature", ""))
    if opened is None or opened[1]["xorb"] != xorb or not opened[0].may_read:
        raise HubError(403, "This xorb address is invalid or has expired.")
    visit, claim = opened
    path = visit.shelf.xet.xorb_path(xorb)
    size = path.stat().st_size
    span = requested_span(request.headers.get("range"), size) or Span(0, size)
    if span.start < claim["first"] or span.end > claim["last"] + 1:
        raise HubError(403, f"This address opens the bytes {claim['first']} to {claim['last']} only.")
    return send(request, path, size, {"ETag": f'"{xorb}"'})


@router.post(_CAS + "/v1/telemetry")
@router.post(_LANE + "/v1/telemetry")
async def telemetry(request: Request) -> Response:
    """Clients report their speed; nothing is kept."""
    await whole(request, 1 << 20)
    return Response(status_code=200)
