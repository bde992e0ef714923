"""The web application of a Hub."""

from __future__ import annotations

from anyio import CapacityLimiter
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from local_hub.accounts import bearer_of
from local_hub.cross_origin import HostCheck
from local_hub.errors import HubError
from local_hub.faults import FaultLayer, FaultPlan
from local_hub.hub import Hub
from local_hub.inference import InferenceEngine
from local_hub.middleware import RequestLog, RequestMiddleware
from local_hub.pages import templates
from local_hub.processes import end_leftovers
from local_hub.room import is_full, no_room
from local_hub.routes import (
    account,
    commits,
    control,
    discussions,
    files,
    git,
    inference,
    large,
    pages,
    refs,
    repositories,
    spaces,
    xet,
)
from local_hub.spaces import SpaceRunner

_GIT_SLOTS = 4  # dulwich is slow: without a bound of their own a few clones would take every thread


def create_application(hub: Hub) -> ASGIApp:
    """All routes over a Hub; the caller closes the Hub when the server has stopped."""
    app = FastAPI(title="local hub", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.hub = hub
    app.state.templates = templates()
    routes = (account, commits, discussions, files, git, inference, large, refs, spaces, xet, repositories)
    for module in routes:
        app.include_router(module.router)
    app.include_router(pages.router)  # last: its addresses are the most general
    app.add_exception_handler(HubError, _answer_hub_error)
    app.add_exception_handler(OSError, _answer_os_error)
    app.add_exception_handler(Exception, _answer_unexpected)
    app.add_exception_handler(HTTPException, _answer_http_error)
    end_leftovers(hub.settings.root)
    app.state.inference = InferenceEngine(hub)
    app.state.spaces = hub.spaces = SpaceRunner(hub) if hub.settings.run_spaces else None
    if app.state.spaces and hub.settings.start_spaces:
        app.state.spaces.start_all()
    app.state.requests = RequestLog()
    app.state.git_slots = CapacityLimiter(_GIT_SLOTS)
    inner: ASGIApp = QuotaLayer(app, hub)
    if hub.settings.allow_faults:
        app.include_router(control.router)
        app.state.faults = FaultPlan()
        inner = FaultLayer(inner, app.state.faults)
    return RequestMiddleware(inner, app.state.requests, HostCheck(hub.settings))


class QuotaLayer:
    """Counts API requests by token, or by client address without one; 429 when the window is full."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request if the window has room."""
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            headers = dict(scope["headers"])
            token = bearer_of(headers.get(b"authorization", b"").decode("latin-1"))
            viewer = self._hub.accounts.viewer_of_token(token) if token else None
            client = scope.get("client") or ("",)
            try:
                self._hub.request_quota.spend(f"user {viewer.name}" if viewer else f"address {client[0]}")
            except HubError as error:
                await JSONResponse(error.body(), error.status, error.header_items())(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _answer_hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    if "text/html" in request.headers.get("accept", "") and not request.scope["path"].startswith("/api/"):
        return pages.error_page(request, error)
    return JSONResponse(error.body(), error.status, error.header_items())


def _answer_os_error(request: Request, error: Exception) -> Response:
    """507 for a full disk; any other failure of the system is as unexpected as those of the code."""
    if not is_full(error):
        raise error
    return _answer_hub_error(request, no_room())


def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    """The outer layer logs the error; the client learns its id, not its stack."""
    return JSONResponse({"error": "Internal error; see the server's log."}, 500)


def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = "Not found" if error.status_code == 404 else str(error.detail)
    return JSONResponse({"error": message}, error.status_code, dict(error.headers or {}))
