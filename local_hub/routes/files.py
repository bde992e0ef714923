"""Reading files: the tree, single paths, and /resolve in the shapes that the real Hub has."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from local_hub.downloads import send
from local_hub.errors import HubError, bad_request, entry_not_found
from local_hub.info import tree_entry_answer
from local_hub.passes import open_pass, sign_pass
from local_hub.request_body import parse_json, whole
from local_hub.routes.xet import xet_endpoint
from local_hub.trees import Entry
from local_hub.visits import FileReader, Reader, Visit, split_revision

router = APIRouter()
_PAGE, _EXPANDED_PAGE = 1000, 50
_MAX_PATHS = 10_000
# Text of these types would be executed or rendered by a browser; repositories are not trusted with that.
_ACTIVE = (
    "text/html",
    "text/xml",
    "application/xhtml+xml",
    "application/xml",
    "image/svg+xml",
    "text/javascript",
)


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true")


@router.get("/api/{kind}/{namespace}/{name}/tree/{rest:path}")
def tree(request: Request, visit: Reader, rest: str) -> JSONResponse:
    """A folder's entries, or everything below it with `recursive`, in pages linked by `Link`."""
    visit.require_content()
    query = request.query_params
    revision, folder = split_revision(visit.repository, rest)
    oid = visit.repository.resolve(revision)
    entries = _below(visit, oid, folder, _is_true(query.get("recursive")))
    expand = _is_true(query.get("expand"))
    size = _EXPANDED_PAGE if expand else _PAGE
    limit = query.get("limit", "")
    size = max(1, min(size, int(limit))) if limit.isascii() and limit.isdigit() and len(limit) < 9 else size
    cursor = query.get("cursor", "")
    remaining = [entry for entry in entries if entry.path > cursor] if cursor else entries
    response = JSONResponse(_answers(visit, oid, remaining[:size], expand))
    if len(remaining) > size:
        following = request.url.include_query_params(cursor=remaining[size - 1].path)
        response.headers["Link"] = (
            f'<{visit.endpoint}{request.scope["wire_path"]}?{following.query}>; rel="next"'
        )
    return response


def _below(visit: Visit, oid: str, folder: str, recursive: bool) -> list[Entry]:
    entries = visit.repository.entries(oid)
    folder = folder.strip("/")
    prefix = f"{folder}/" if folder else ""
    if folder and not any(entry.path == folder and entry.is_folder for entry in entries):
        raise entry_not_found(folder, oid)
    inside = [entry for entry in entries if entry.path.startswith(prefix)]
    return inside if recursive else [entry for entry in inside if "/" not in entry.path[len(prefix) :]]


def _answers(visit: Visit, oid: str, entries: list[Entry], expand: bool) -> list[dict[str, Any]]:
    last = visit.repository.last_changes(oid, {entry.path for entry in entries}) if expand else {}
    return [tree_entry_answer(entry, last.get(entry.path), _xet_hash(visit, entry)) for entry in entries]


def _xet_hash(visit: Visit, entry: Entry) -> str | None:
    return visit.shelf.xet.hash_of(entry.pointer.oid) if entry.pointer and visit.hub.settings.xet else None


@router.post("/api/{kind}/{namespace}/{name}/paths-info/{revision:path}")
async def paths_info(request: Request, visit: Reader, revision: str) -> JSONResponse:
    """The entries of the asked paths, missing ones left out; the body is a form or JSON."""
    visit.require_content()
    body = await whole(request, 4 << 20)
    if "json" in request.headers.get("content-type", ""):
        value = parse_json(body)
        value = value if isinstance(value, dict) else {}
        paths, expand = value.get("paths"), value.get("expand") is True
        paths = [paths] if isinstance(paths, str) else paths
    else:
        form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MAX_PATHS + 1)
        paths, expand = form.get("paths", []), _is_true(form.get("expand", [""])[0])
    if (
        not isinstance(paths, list)
        or len(paths) > _MAX_PATHS
        or not all(isinstance(path, str) for path in paths)
    ):
        raise bad_request(f"paths must be a list of at most {_MAX_PATHS} strings.")
    wanted = {path.strip("/") for path in paths}
    return JSONResponse(await to_thread.run_sync(_entries_of, visit, unquote(revision), wanted, expand))


def _entries_of(visit: Visit, revision: str, wanted: set[str], expand: bool) -> list[dict[str, Any]]:
    oid = visit.repository.resolve(revision)
    found = [entry for entry in visit.repository.entries(oid) if entry.path in wanted]
    return _answers(visit, oid, found, expand)


def _media_type(path: str) -> str:
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if guessed in _ACTIVE or guessed.startswith("text/"):
        return "text/plain; charset=utf-8"
    return guessed


def _file_headers(visit: Visit, oid: str, entry: Entry) -> dict[str, str]:
    """What clients read from /resolve: commit, etag (blob id or sha256), for large files the size."""
    name = entry.path.rsplit("/", 1)[-1]
    headers = {
        "X-Repo-Commit": oid,
        "ETag": f'"{entry.pointer.oid if entry.pointer else entry.oid}"',
        "Content-Type": _media_type(entry.path),
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if entry.pointer:
        headers |= {"X-Linked-Size": str(entry.pointer.size), "X-Linked-Etag": f'"{entry.pointer.oid}"'}
        xet_hash = _xet_hash(visit, entry)
        if xet_hash:
            token_url = f"{visit.endpoint}/api/{visit.id.kind}/{visit.id}/xet-read-token/{oid}"
            reconstruction = f"{xet_endpoint(visit)}/v1/reconstructions/{xet_hash}"
            headers |= {
                "X-Xet-Hash": xet_hash,
                "Link": f'<{token_url}>; rel="xet-auth", <{reconstruction}>; rel="xet-reconstruction-info"',
            }
    return headers


def _find(visit: Visit, oid: str, path: str) -> Entry:
    entry = visit.repository.find(oid, path) if path else None
    if entry is None or entry.is_folder or entry.mode & 0o170000 != 0o100000:
        raise entry_not_found(path, oid)
    return entry


@router.api_route("/{kind}/{namespace}/{name}/resolve/{rest:path}", methods=["GET", "HEAD"])
def resolve(request: Request, visit: FileReader, rest: str) -> Response:
    """A file at a revision: 307 to the cache if regular, 302 to storage if large, or 200 at once."""
    visit.require_content()
    revision, path = split_revision(visit.repository, rest)
    oid = visit.repository.resolve(revision)
    entry = _find(visit, oid, path)
    headers = _file_headers(visit, oid, entry)
    if not visit.hub.settings.redirects:
        return _send_entry(request, visit, entry, headers)
    location = _storage_url(visit, oid, entry) if entry.pointer else _cache_path(visit, oid, path)
    for name in ("Content-Type", "Content-Disposition", "Content-Security-Policy"):
        del headers[name]
    if not entry.pointer:
        headers["X-Linked-Etag"] = headers["ETag"]
    # The redirect carries the file's ETag only as X-Linked-Etag; its own body is a few bytes of text.
    del headers["ETag"]
    return RedirectResponse(location, 302 if entry.pointer else 307, headers)


def _cache_path(visit: Visit, oid: str, path: str) -> str:
    return f"/api/resolve-cache/{visit.id.kind}/{visit.id}/{oid}/{quote(path, safe='/')}"


def _storage_url(visit: Visit, oid: str, entry: Entry) -> str:
    """An absolute address that authorises itself for an hour: the storage host knows no users."""
    assert entry.pointer is not None
    signature = sign_pass(visit, "download", oid=entry.pointer.oid, commit=oid, path=entry.path)
    return f"{visit.endpoint}/_hub/storage/{entry.pointer.oid}?signature={signature}"


def _send_entry(request: Request, visit: Visit, entry: Entry, headers: dict[str, str]) -> Response:
    if entry.pointer is None:
        return send(request, visit.repository.blob(entry.oid), entry.size, headers)
    held = visit.shelf.large.find(entry.pointer.oid)
    if held is None:
        raise HubError(
            404, f"The content of {entry.path} is missing from this repository.", code="EntryNotFound"
        )
    return send(request, held.path, held.size, headers)


@router.api_route(
    "/api/resolve-cache/{kind}/{namespace}/{name}/{commit}/{path:path}", methods=["GET", "HEAD"]
)
def resolve_cache(request: Request, visit: FileReader, commit: str, path: str) -> Response:
    """A regular file at a commit, 200."""
    visit.require_content()
    oid = visit.repository.resolve(unquote(commit))
    entry = _find(visit, oid, unquote(path))
    return _send_entry(request, visit, entry, _file_headers(visit, oid, entry))


@router.api_route("/_hub/storage/{oid}", methods=["GET", "HEAD"])
def storage(request: Request, oid: str) -> Response:
    """A large file's bytes, for whoever holds a signed address.

    Clients from 1.x on follow the redirect on the same host and read the headers here, so they are repeated.
    """
    opened = open_pass(request, "download", request.query_params.get("signature", ""))
    if opened is None or opened[1]["oid"] != oid:
        raise HubError(403, "This download address is invalid or has expired; ask /resolve for a new one.")
    visit, claim = opened
    visit.require_content()
    commit = visit.repository.resolve(claim["commit"])
    entry = _find(visit, commit, claim["path"])
    return _send_entry(request, visit, entry, _file_headers(visit, commit, entry))
