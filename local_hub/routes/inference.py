"""The inference service: POST /hf-inference/models/{id}."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from local_hub.catalogue import Shelf
from local_hub.inference import InferenceEngine, InferenceRequest
from local_hub.request_body import json_body
from local_hub.visits import page_viewer_of, visit_addressed

router = APIRouter()


def _model(request: Request) -> Shelf:
    found = visit_addressed(request, page_viewer_of(request), "models")
    found.require_content()
    return found.shelf


async def _answer(request: Request, body: InferenceRequest) -> JSONResponse:
    engine: InferenceEngine = request.app.state.inference
    return JSONResponse(await engine.answer(partial(_model, request), body))


@router.post("/hf-inference/models/{namespace}/{name}")
async def classify(
    request: Request,
    body: Annotated[InferenceRequest, json_body(InferenceRequest)],
) -> JSONResponse:
    """`[[{label, score}, …]]`, one inner list for each text."""
    return await _answer(request, body)


@router.post("/hf-inference/models/{namespace}/{name}/pipeline/text-classification")
async def classify_by_task(
    request: Request,
    body: Annotated[InferenceRequest, json_body(InferenceRequest)],
) -> JSONResponse:
    """The same, at the address that names the task."""
    return await _answer(request, body)
