"""Pages for people; they only read, except for signing in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from local_hub import pages
from local_hub.accounts import digest_of
from local_hub.errors import HubError
from local_hub.own_words import metadata_of
from local_hub.request_body import whole
from local_hub.runtime import address_of, stage_of
from local_hub.visits import (
    FileReader,
    Visit,
    endpoint_of,
    hub_of,
    page_viewer_of,
    split_revision,
)

router = APIRouter()
_STATIC = Path(__file__).parents[1] / "static"
_TYPES = {"style.css": "text/css", "page.js": "text/javascript"}


def render(request: Request, template: str, values: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """A page whose scripts, styles and requests all come from this server."""
    frames = values.get("app") or {}
    source = frames.get("address") or "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src {source}"
    )
    try:
        viewer = page_viewer_of(request)
    except HubError:
        viewer = None
    html = request.app.state.templates.get_template(template).render({"viewer": viewer, **values})
    return HTMLResponse(html, status, {"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


def error_page(request: Request, error: HubError) -> HTMLResponse:
    """A failure for people."""
    page = render(
        request, "error.html", {"status": error.status, "message": error.message}, status=error.status
    )
    page.headers.update(error.header_items())
    return page


@router.get("/")
def index(request: Request, kind: str = "", search: str = "") -> HTMLResponse:
    """The repositories."""
    viewer = page_viewer_of(request)
    values = pages.index_page(hub_of(request), viewer, kind, search[:100])
    return render(request, "index.html", {**values, "endpoint": endpoint_of(request)})


@router.get("/_hub/static/{name}")
def static(name: str) -> Response:
    """Style and script of the pages."""
    if name not in _TYPES:
        raise HubError(404, "Not found")
    return FileResponse(_STATIC / name, media_type=_TYPES[name], headers={"Cache-Control": "no-cache"})


@router.get("/login")
def login_form(request: Request) -> HTMLResponse:
    """Where a token is given."""
    return render(request, "login.html", {"error": None})


@router.post("/login")
async def login(request: Request) -> Response:
    """Remember the token's user in a cookie that only reads and that no other site can send."""
    hub = hub_of(request)
    form = parse_qs((await whole(request, 1 << 14)).decode("utf-8", "replace"), max_num_fields=10)
    token = form.get("token", [""])[0].strip()
    if hub.accounts.viewer_of_token(token) is None:
        return render(request, "login.html", {"error": "This Hub does not know this token."}, status=401)
    answer = RedirectResponse("/", 303)
    hub.sessions.begin(answer, digest_of(token), secure=request.url.scheme == "https")
    return answer


@router.post("/logout")
def logout(request: Request) -> Response:
    """Forget who looked at the pages."""
    answer = RedirectResponse("/", 303)
    hub_of(request).sessions.end(request, answer)
    return answer


@router.get("/{kind}/{namespace}/{name}")
def repository(request: Request, visit: FileReader) -> HTMLResponse:
    """A model's, data set's or Space's own page."""
    values = pages.card_page(visit)
    if visit.id.kind == "spaces":
        values["app"] = _app(visit)
    return render(request, "card.html", values)


def _app(visit: Visit) -> dict[str, Any]:
    """The running app: of another origin where it is a process, in a browser's sandbox where it is static."""
    card = metadata_of(visit.shelf, visit.repository.resolve("main"))
    if card.get("sdk") == "static":
        address = f"{visit.page}/app/"
        sandbox = "allow-scripts allow-forms allow-popups allow-downloads"
        return {"stage": "RUNNING", "message": None, "address": address, "sandbox": sandbox}
    stage, message = stage_of(visit, card)
    return {
        "stage": stage,
        "message": message,
        "address": address_of(visit, framed=True),
        "sandbox": "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads",
    }


@router.get("/{kind}/{namespace}/{name}/tree/{rest:path}")
def files(request: Request, visit: FileReader, rest: str) -> HTMLResponse:
    """A folder of a revision."""
    visit.require_content()
    revision, folder = split_revision(visit.repository, rest)
    return render(request, "files.html", pages.files_page(visit, revision, folder.strip("/")))


@router.get("/{kind}/{namespace}/{name}/commits/{revision:path}")
def commits(request: Request, visit: FileReader, revision: str, p: int = 0) -> HTMLResponse:
    """The history of a revision."""
    page = max(0, min(p, 1_000_000))
    return render(request, "commits.html", pages.commits_page(visit, unquote(revision), page))


@router.get("/{kind}/{namespace}/{name}/commit/{oid}")
def commit(visit: FileReader, oid: str) -> RedirectResponse:
    """A commit is shown by its files."""
    visit.repository.resolve(oid)
    return RedirectResponse(f"/{visit.id.web_path}/tree/{oid}")


@router.get("/{kind}/{namespace}/{name}/blob/{rest:path}")
def blob(visit: FileReader, rest: str) -> RedirectResponse:
    """A file is shown by itself."""
    return RedirectResponse(f"/{visit.id.web_path}/resolve/{rest}")


@router.get("/{kind}/{namespace}/{name}/discussions")
def discussions(request: Request, visit: FileReader) -> HTMLResponse:
    """Discussions and pull requests."""
    return render(request, "discussions.html", pages.discussions_page(visit, None))


@router.get("/{kind}/{namespace}/{name}/discussions/{number:int}")
def discussion(request: Request, visit: FileReader, number: int) -> HTMLResponse:
    """One of them."""
    return render(request, "discussions.html", pages.discussions_page(visit, number))
