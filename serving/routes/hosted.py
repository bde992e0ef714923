"""The routes of the hosted inference service, for InferenceClient and @huggingface/inference."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from serving.answers import Answerer, ranked
from serving.routes.bodies import Body, answerer_of
from serving.routes.openai import check_model

router = APIRouter(tags=["hosted inference"])
Answers = Annotated[Answerer, Depends(answerer_of)]


class Parameters(Body):
    """What a request may choose."""

    top_k: int | None = Field(5, ge=1, le=10_000, description="labels to return; null means all")
    function_to_apply: Literal["softmax", "sigmoid", "none"] | None = None


class Inputs(Body):
    """One text or several."""

    inputs: str | list[str]
    parameters: Parameters | None = None


@router.post("/", summary="Classify one text or several")
async def classify(body: Inputs, answers: Answers) -> JSONResponse:
    """Answer `[[{label, score}, …]]`: a list for each text, the best label first."""
    return JSONResponse(await _answer(body, answers))


@router.post("/models/{model:path}", summary="The same, at an address that names the model")
async def classify_by_name(model: str, body: Inputs, answers: Answers) -> JSONResponse:
    """Answer as `/` does; 404 when another model is named."""
    check_model(answers.model, model)
    return JSONResponse(await _answer(body, answers))


async def _answer(body: Inputs, answers: Answerer) -> list[list[dict[str, object]]]:
    options = body.parameters or Parameters()
    activation = options.function_to_apply or "softmax"
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    with answers.place():
        scores = await answers.score(texts, activation)
    return ranked(answers.model, scores, activation == "softmax", options.top_k)
