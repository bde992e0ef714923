"""The classification routes of vLLM and SGLang, as OpenAI's API does: /v1/classify, /classify, /v1/models.

Shapes: https://docs.vllm.ai (Classification API). What is ours is optional: `explain` in a request, `unsure`
and `words` in an item of `data`.
"""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from serving.answers import Answerer
from serving.limits import RequestError
from serving.model import ServedModel
from serving.routes.bodies import Body, Explain, answerer_of, method_of

router = APIRouter(tags=["vLLM and SGLang"])
Answers = Annotated[Answerer, Depends(answerer_of)]
STARTED = int(time.time())


class Classify(Body):
    """One text or several."""

    input: str | list[str]
    model: str | None = Field(None, description="the served model; optional")
    explain: Explain = False


@router.post("/v1/classify", summary="Classify one text or several")
@router.post("/classify", summary="The same, at vLLM's address")
async def classify(body: Classify, answers: Answers) -> JSONResponse:
    """Answer an item for each text: its label and the probabilities of all labels in the model's order."""
    model = answers.model
    check_model(model, body.model)
    texts = [body.input] if isinstance(body.input, str) else body.input
    with answers.place():
        scores = await answers.score(texts)
        method = method_of(body.explain)
        words = await answers.words(texts, method) if method else None
        tokens = await answers.run(lambda: sum(len(one.ids) for one in model.classifier.tokenize(texts)))
    data = []
    for index, row in enumerate(scores):
        probs = [float(value) for value in row]
        best = max(range(len(probs)), key=probs.__getitem__)
        item: dict[str, Any] = {"index": index, "label": model.labels[best], "probs": probs}
        item["num_classes"] = len(probs)
        if model.is_unsure(probs[best]):
            item["unsure"] = True
        if words:
            item["words"] = words[index]
        data.append(item)
    return JSONResponse(
        {
            "id": f"classify-{uuid.uuid4().hex}",
            "object": "list",
            "created": int(time.time()),
            "model": model.name,
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0},
        }
    )


def check_model(model: ServedModel, wanted: str | None) -> None:
    """RequestError when a request names another model than the one that is served."""
    if wanted not in (None, "", model.name):
        raise RequestError(404, "model_not_found", f"model: unknown name; this server has {model.name!r}")


@router.get("/v1/models", summary="The served model")
async def models(answers: Answers) -> JSONResponse:
    """Answer a list of one."""
    model = answers.model
    entry = {"id": model.name, "object": "model", "created": STARTED, "owned_by": "finsent"}
    return JSONResponse(
        {"object": "list", "data": [{**entry, "root": model.name, "revision": model.revision}]}
    )
