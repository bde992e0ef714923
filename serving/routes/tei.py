"""The routes of text-embeddings-inference: /predict, /tokenize, /info, /health, /metrics.

Shapes: https://github.com/huggingface/text-embeddings-inference, router/src/http/types.rs. What is ours is
optional: `explain` in a request, `unsure` and `words` in the first label of an answer.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from serving.answers import Answerer, printable, ranked
from serving.limits import check_texts, invalid
from serving.routes.bodies import Body, Explain, answerer_of, method_of, state_of
from serving.state import ServerState

router = APIRouter(tags=["text-embeddings-inference"])
Answers = Annotated[Answerer, Depends(answerer_of)]
State = Annotated[ServerState, Depends(state_of)]


class Predict(Body):
    """One text, or a batch as `[["a"], ["b"]]`."""

    inputs: str | list[str | list[str]] = Field(description='"text", or [["text"], ["another"]]')
    truncate: bool | None = Field(None, description="accepted but not needed: long texts are always cut")
    truncation_direction: str = Field("Right", description="accepted; texts are always cut at the end")
    raw_scores: bool = Field(False, description="logits instead of probabilities")
    explain: Explain = False


class Tokenize(Body):
    """One text or several."""

    inputs: str | list[str]
    add_special_tokens: bool = True


@router.post("/predict", summary="Classify one text or a batch")
async def predict(body: Predict, answers: Answers) -> JSONResponse:
    """Answer `[{score, label}, …]`, the best first; a batch gets a list of these."""
    single = isinstance(body.inputs, str)
    texts = [body.inputs] if isinstance(body.inputs, str) else _batch(body.inputs)
    with answers.place():
        scores = await answers.score(texts, "none" if body.raw_scores else "softmax")
        method = method_of(body.explain)
        words = await answers.words(texts, method) if method else []
    found = ranked(answers.model, scores, probabilities=not body.raw_scores)
    for labels, effects in zip(found, words, strict=False):  # none were asked for, or all
        labels[0]["words"] = effects
    return JSONResponse(found[0] if single else found)


def _batch(inputs: list[str | list[str]]) -> list[str]:
    """Return the texts of a batch; a flat list is a pair of texts here, which means nothing to this model."""
    texts = []
    for one in inputs:
        if isinstance(one, str):
            raise invalid(
                "inputs: got a list of strings, which is a pair of texts for this route; send a batch as "
                '[["first"], ["second"]]'
            )
        if len(one) != 1:
            raise invalid(f"inputs: got {len(one)} texts in one place of the batch, allowed is 1")
        texts.append(one[0])
    return texts


@router.post("/tokenize", summary="Show how texts are split into tokens")
async def tokenize(body: Tokenize, answers: Answers) -> JSONResponse:
    """Answer, for each text, its tokens as `{id, text, special, start, stop}`; places count characters."""
    texts = check_texts([body.inputs] if isinstance(body.inputs, str) else body.inputs, answers.limits)
    with answers.place():
        encodings = await answers.run(
            lambda: answers.model.classifier.tokenize(texts, body.add_special_tokens)
        )
    return JSONResponse([_tokens(encoding) for encoding in encodings])


def _tokens(encoding: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (tokenizers.Encoding)
    columns = (encoding.ids, encoding.tokens, encoding.special_tokens_mask, encoding.offsets)
    return [
        {
            "id": number,
            "text": printable(piece),
            "special": bool(special),
            "start": None if special else start,
            "stop": None if special else stop,
        }
        for number, piece, special, (start, stop) in zip(*columns, strict=True)
    ]


@router.get("/info", summary="The model and the limits of this server")
async def info(answers: Answers, state: State) -> JSONResponse:
    """Answer what runs here, in TEI's words, and which file of the release it is."""
    model, limits = answers.model, answers.limits
    names = {str(index): label for index, label in enumerate(model.labels)}
    kinds = {"classifier": {"id2label": names, "label2id": {label: int(key) for key, label in names.items()}}}
    return JSONResponse(
        {
            "model_id": model.name,
            "model_sha": model.revision,
            "model_dtype": "int8" if "quantized" in model.file else "float32",
            "model_type": kinds,
            "max_concurrent_requests": state.threads + limits.waiting,
            "max_input_length": model.max_tokens,
            "max_client_batch_size": limits.texts,
            "auto_truncate": True,
            "version": model.version,
            "file": model.file,
            "file_sha256": model.sha256,
            "abstain_below": model.abstain_below if model.abstain_below <= 1 else None,
        }
    )


@router.get("/health", summary="200 while the server takes requests, 503 when it is about to stop")
async def health(state: State) -> Response:
    """Answer without a token, for load balancers."""
    if state.draining:
        return JSONResponse({"status": "stopping"}, 503, headers={"Retry-After": "1"})
    return JSONResponse({"status": "ok"})


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
async def metrics(state: State) -> Response:
    """Answer counters and histograms; they hold no texts."""
    return Response(state.metrics.render(), media_type=CONTENT_TYPE_LATEST)
