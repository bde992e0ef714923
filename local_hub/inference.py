"""Answers of a pushed text classifier, as the hosted service gives them, through `transformers.pipeline`."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from local_hub.catalogue import Shelf
from local_hub.errors import HubError, bad_request
from local_hub.exports import export_files
from local_hub.hub import Hub
from local_hub.info import config_of, metadata_of, pipeline_tag_of

TASK = "text-classification"
_LOADED_MODELS = 2
_PATIENCE_SECONDS = 10.0
_ESTIMATE_SECONDS = 20.0
_MAX_TEXTS, _MAX_CHARACTERS = 256, 100_000


class Parameters(BaseModel):
    """What a request may choose; top_k None means every label."""

    model_config = ConfigDict(extra="ignore")

    top_k: int | None = Field(default=5, ge=1, le=10_000)
    function_to_apply: Literal["sigmoid", "softmax", "none"] | None = None
    truncation: bool | None = None


class InferenceRequest(BaseModel):
    """One text, or several."""

    model_config = ConfigDict(extra="ignore")

    inputs: str | list[str]
    parameters: Parameters = Parameters()

    def texts(self) -> list[str]:
        """The inputs as a list; 400 when there are none, too many or too long ones."""
        texts = [self.inputs] if isinstance(self.inputs, str) else self.inputs
        if not 0 < len(texts) <= _MAX_TEXTS or any(len(text) > _MAX_CHARACTERS for text in texts):
            raise bad_request(
                f"inputs must hold 1 to {_MAX_TEXTS} texts of at most {_MAX_CHARACTERS} characters."
            )
        return texts


class InferenceEngine:
    """Keeps the last models in memory and lets a bounded number of requests wait for a free slot."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._workers = ThreadPoolExecutor(hub.settings.inference_slots, thread_name_prefix="inference")
        self._models: OrderedDict[tuple[str, str], Future[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting = 0

    def answer(self, shelf: Shelf, request: InferenceRequest) -> list[list[dict[str, Any]]]:
        """Labels and scores for each text, the best first; 503 while the model loads or the queue is full."""
        texts = request.texts()
        oid = shelf.repository.resolve("main")
        task = pipeline_tag_of(metadata_of(shelf, oid), config_of(shelf, oid))
        if task != TASK:
            raise bad_request(f"The model {shelf.id} is for the task {task}; this Hub serves {TASK} only.")
        with self._lock:
            if self._waiting >= self._hub.settings.inference_queue:
                raise HubError(503, "Too many requests are waiting; try again.", headers={"Retry-After": "1"})
            self._waiting += 1
        try:
            pipeline = self._loaded(shelf, oid)
            return self._workers.submit(_classify, pipeline, texts, request.parameters).result()
        finally:
            with self._lock:
                self._waiting -= 1

    def _loaded(self, shelf: Shelf, oid: str) -> Any:  # noqa: ANN401  (a transformers pipeline)
        key = (shelf.record.id, oid)
        with self._lock:
            if key not in self._models:
                loading: Future[Any] = Future()
                self._models[key] = loading
                threading.Thread(target=self._load, args=(loading, shelf, oid), daemon=True).start()
            self._models.move_to_end(key)
            future = self._models[key]
            self._forget_old()
        try:
            return future.result(_PATIENCE_SECONDS)
        except FutureTimeoutError:
            raise HubError(
                503,
                f"Model {shelf.id} is currently loading",
                headers={"Retry-After": "5"},
                extra={"estimated_time": _ESTIMATE_SECONDS},
            ) from None

    def _forget_old(self) -> None:
        while len(self._models) > _LOADED_MODELS:
            self._models.popitem(last=False)

    def _load(self, loading: Future[Any], shelf: Shelf, oid: str) -> None:
        folder = self._hub.incoming / "inference" / f"{shelf.record.id}-{oid}"
        try:
            from transformers import logging, pipeline  # takes seconds to import; most Hubs never need it

            logging.set_verbosity_error()  # what a model says of itself is nothing for the server's log
            export_files(self._hub, shelf, oid, folder)
            # Only safetensors and no code of the repository: a pickle or a script would run with our rights.
            options = {"trust_remote_code": False, "model_kwargs": {"use_safetensors": True}}
            loading.set_result(pipeline(TASK, model=str(folder), device="cpu", **options))
        except Exception as error:  # a pushed model can be broken in any way
            with self._lock:
                self._models.pop((shelf.record.id, oid), None)
            message = " ".join(str(error).replace(str(folder), str(shelf.id)).split())[:500]
            loading.set_exception(HubError(400, f"The model {shelf.id} cannot be loaded: {message}"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _classify(pipeline: Any, texts: list[str], parameters: Parameters) -> list[list[dict[str, Any]]]:  # noqa: ANN401
    options: dict[str, Any] = {"top_k": parameters.top_k}
    if parameters.function_to_apply:
        options["function_to_apply"] = parameters.function_to_apply
    if parameters.truncation:
        options["truncation"] = True
    try:
        answers = pipeline(texts, **options)
    except Exception as error:  # too long, a lone surrogate, …: the hosted service answers 400, too
        raise bad_request(f"The model refused the input: {' '.join(str(error).split())[:300]}") from None
    return [
        [{"label": str(item["label"]), "score": float(item["score"])} for item in answer]
        for answer in answers
    ]
