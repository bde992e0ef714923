"""The REST server as an application: routes, errors in one shape, a page with the release's examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.answers import Answerer
from serving.limits import Limits, RequestError
from serving.metrics import ServerMetrics
from serving.middleware import Border
from serving.model import ServedModel
from serving.routes import hosted, openai, tei
from serving.state import ServerState

SHOWN_PROBLEMS = 5
EXAMPLES = "GET /docs shows what each route takes"
NO_JSON = "the body is not JSON; send it in UTF-8 as application/json"


def create_app(
    model: ServedModel, limits: Limits, threads: int, token: str | None = None, shared_metrics: bool = False
) -> FastAPI:
    """Return the application that serves a model; `shared_metrics` when other processes serve it too."""
    app = FastAPI(
        title=model.name,
        version=model.version or "0",
        description=f"{model.file} of {model.name}: {', '.join(model.labels)}",
    )
    metrics = ServerMetrics(shared_metrics)
    app.state.server = ServerState(Answerer(model, limits, metrics, threads), metrics, threads)
    for module in (tei, openai, hosted):
        app.include_router(module.router)
    app.add_exception_handler(RequestError, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_middleware(Border, limits=limits, metrics=metrics, token=token)
    _show_examples(app, model)
    return app


def _respond(request: Request, error: RequestError) -> JSONResponse:
    request_id = request.scope["state"]["request_id"]
    return JSONResponse(error.body(request_id), error.status, headers=error.headers)


async def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestError)
    return _respond(request, error)


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say which keys of a body are wrong and what is allowed, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)
    problems = [_describe(problem) for problem in error.errors()[:SHOWN_PROBLEMS]]
    return _respond(
        request, RequestError(422, "validation", f"{'; '.join(dict.fromkeys(problems))}; {EXAMPLES}")
    )


def _describe(problem: dict[str, Any]) -> str:
    if problem["type"] == "json_invalid":
        return NO_JSON
    return f"{_key(problem['loc'])}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _key(place: Sequence[int | str]) -> str:
    """Return a key of a body as a client wrote it, without the types that pydantic tried there."""
    _, *parts = place
    return ".".join(str(part) for part in parts if part != "str" and "[" not in str(part)) or "body"


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI's word for a body that not even a JSON parser can finish
        return _respond(request, RequestError(422, "validation", NO_JSON))
    message = f"{error.detail}; GET /docs lists the routes"
    kind = "not_found" if error.status_code == 404 else "http"
    headers = dict(error.headers or {})
    return _respond(request, RequestError(error.status_code, kind, message, headers))


def _show_examples(app: FastAPI, model: ServedModel) -> None:
    """Put texts of the release into the page at /docs."""
    first, *_ = model.examples
    bodies = {
        "/predict": {"inputs": first},
        "/tokenize": {"inputs": first},
        "/v1/classify": {"model": model.name, "input": list(model.examples)},
        "/classify": {"model": model.name, "input": list(model.examples)},
        "/": {"inputs": list(model.examples), "parameters": {"top_k": len(model.labels)}},
    }
    schema = app.openapi()
    for path, body in bodies.items():
        schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"] = body
