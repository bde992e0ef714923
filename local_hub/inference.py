"""Answers of a pushed text classifier, as the hosted service gives them, through `transformers.pipeline`."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field

from local_hub.catalogue import Shelf
from local_hub.errors import HubError, bad_request
from local_hub.hub import Hub
from local_hub.model_files import export_model
from local_hub.models import ModelHost, ModelProcess
from local_hub.own_words import config_of, metadata_of, pipeline_tag_of

Answers = list[list[dict[str, Any]]]

TASK = "text-classification"
_LOADED_MODELS = 2
_LOADERS = 2
_PATIENCE_SECONDS = 60.0
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

    def options(self) -> dict[str, Any]:
        """The parameters as the pipeline takes them."""
        given = self.parameters
        options: dict[str, Any] = {"top_k": given.top_k}
        if given.function_to_apply:
            options["function_to_apply"] = given.function_to_apply
        return {**options, **({"truncation": True} if given.truncation else {})}

    def texts(self) -> list[str]:
        """The inputs as a list; 400 when there are none, too many or too long ones."""
        texts = [self.inputs] if isinstance(self.inputs, str) else self.inputs
        if not 0 < len(texts) <= _MAX_TEXTS or any(len(text) > _MAX_CHARACTERS for text in texts):
            raise bad_request(
                f"inputs must contain 1 to {_MAX_TEXTS} texts of at most {_MAX_CHARACTERS} characters."
            )
        return texts


@dataclass
class _Model:
    """A model that is loaded or will be; its process answers one request at a time."""

    loading: asyncio.Task[ModelProcess]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class InferenceEngine:
    """Keeps the last models in processes of their own and lets a bounded number of requests wait for them.

    Waiting takes no thread, and the threads that load are its own, so that the rest of the Hub answers
    meanwhile. One model takes one slot, so that a slow one does not stop the others.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._folder = hub.incoming / "inference"
        self._slots = asyncio.Semaphore(hub.settings.inference_slots)
        self._loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="loading")
        self._models: OrderedDict[tuple[str, str], _Model] = OrderedDict()
        self._retiring: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._host = ModelHost(hub.settings, self._folder / "home")
        hub.closers.append(self.close)

    async def answer(self, find: Callable[[], Shelf], request: InferenceRequest) -> Answers:
        """Labels and scores for each text, the best first; 503 while the model loads or the queue is full.

        `find` reads the disk, so it is called in a thread; its errors are the answer's.
        """
        question = {"texts": request.texts(), "options": request.options()}
        if self._waiting >= self._hub.settings.inference_queue:
            raise HubError(503, "Too many requests are waiting; try again.", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            shelf, oid = await to_thread.run_sync(_commit_of, find)
            return await self._ask(shelf, oid, question)
        finally:
            self._waiting -= 1

    async def _ask(self, shelf: Shelf, oid: str, question: dict[str, Any]) -> Answers:
        model = self._model(shelf, oid)
        process = await self._loaded(shelf, model)
        async with model.turn:
            if process.has_ended():  # ended by a request before this one
                raise HubError(503, f"Model {shelf.id} has to load again", headers={"Retry-After": "1"})
            try:
                async with self._slots:
                    answers: Answers = await process.ask(question)
            except HubError as error:
                raise bad_request(f"The model refused the input: {error.message}") from None
            finally:
                if process.has_ended():
                    self._drop((shelf.record.id, oid), model)
        return answers

    def _model(self, shelf: Shelf, oid: str) -> _Model:
        key = (shelf.record.id, oid)
        if key not in self._models:
            loading = asyncio.create_task(self._load(shelf, oid))
            model = self._models[key] = _Model(loading)
            loading.add_done_callback(lambda done: self._forget_failure(key, model, done))
        self._models.move_to_end(key)
        while len(self._models) > _LOADED_MODELS:
            oldest = next(iter(self._models))
            self._drop(oldest, self._models[oldest])
        return self._models[key]

    async def _loaded(self, shelf: Shelf, model: _Model) -> ModelProcess:
        try:
            return await asyncio.wait_for(asyncio.shield(model.loading), _PATIENCE_SECONDS)
        except TimeoutError:
            raise HubError(
                503,
                f"Model {shelf.id} is currently loading",
                headers={"Retry-After": "5"},
                extra={"estimated_time": _ESTIMATE_SECONDS},
            ) from None

    def _forget_failure(self, key: tuple[str, str], model: _Model, done: asyncio.Task[ModelProcess]) -> None:
        failed = done.cancelled() or done.exception() is not None
        if failed and self._models.get(key) is model:
            del self._models[key]

    def _drop(self, key: tuple[str, str], model: _Model) -> None:
        """Forget a model; its process ends when the request that it works on is answered."""
        if self._models.get(key) is model:
            del self._models[key]
            retiring = asyncio.create_task(self._retire(model))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)

    async def _retire(self, model: _Model) -> None:
        with suppress(HubError, asyncio.CancelledError):
            process = await asyncio.shield(model.loading)
            async with model.turn:
                await to_thread.run_sync(process.end)

    async def _load(self, shelf: Shelf, oid: str) -> ModelProcess:
        folder, process = self._folder / uuid.uuid4().hex, None
        run = asyncio.get_running_loop().run_in_executor
        try:
            await run(self._loaders, export_model, shelf, oid, folder)
            process = await run(self._loaders, self._host.start_model)
            await process.ask({"folder": str(folder)})
            return process
        except HubError as error:
            message = error.message.replace(str(folder), str(shelf.id))
        except (OSError, ValueError) as error:  # ValueError: the host ended without an answer
            message = f"no process could be started ({error})"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if process:
            process.end()
        raise HubError(400, f"The model {shelf.id} cannot be loaded: {message}")

    def close(self) -> None:
        """End every process; who waits for one gets an error."""
        self._host.close()
        self._loaders.shutdown(wait=False, cancel_futures=True)


def _commit_of(find: Callable[[], Shelf]) -> tuple[Shelf, str]:
    """The repository and the commit that main is at; 400 if it is not a text classifier."""
    shelf = find()
    oid = shelf.repository.resolve("main")
    task = pipeline_tag_of(metadata_of(shelf, oid), config_of(shelf, oid))
    if task != TASK:
        raise bad_request(f"The model {shelf.id} is for the task {task}; this Hub serves {TASK} only.")
    return shelf, oid
