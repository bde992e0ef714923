"""From texts to answers: on a bounded number of threads, counted, in the shapes of the clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.classifier import softmax
from inference.explain import Method, explain
from serving.limits import Limits, RequestError, check_shapley, check_texts
from serving.metrics import ServerMetrics
from serving.model import ServedModel

Activation = Literal["softmax", "sigmoid", "none"]
Scores = NDArray[np.float32]
Result = TypeVar("Result")


class Answerer:
    """Runs the model on `threads` threads and lets `limits.waiting` more requests wait."""

    def __init__(self, model: ServedModel, limits: Limits, metrics: ServerMetrics, threads: int) -> None:
        self.model, self.limits = model, limits
        self._metrics = metrics
        self._most = threads + limits.waiting
        self._inside = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="classify")

    async def score(self, texts: list[str], activation: Activation = "softmax") -> Scores:
        """Return scores `(n, n_labels)`. RequestError when texts are over the limits."""
        check_texts(texts, self.limits)
        logits = await self.run(lambda: self.model.classifier.logits(texts))
        probabilities = softmax(logits)
        self._metrics.count(self.model, probabilities)
        return probabilities if activation == "softmax" else activate(logits, activation)

    async def words(self, texts: list[str], method: Method) -> list[list[dict[str, Any]]]:
        """Return for each text its words with what each did for the label, None where it was not tried.

        RequestError when there are too many texts for the method.
        """
        if method == "shapley":
            check_shapley(texts)

        def explain_all() -> list[list[dict[str, Any]]]:
            found = [explain(self.model.classifier, text, method).words for text in texts]
            return [[{"text": printable(word.text), "effect": word.effect} for word in one] for one in found]

        return await self.run(explain_all)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place in the queue for all that a request asks of the model; 429 when there is none."""
        if self._inside >= self._most:
            raise RequestError(
                429, "overloaded",
                f"{self.limits.waiting} requests may wait, and no more; try again in a second",
                {"Retry-After": "1"},
            )  # fmt: skip
        self._inside += 1
        self._metrics.queue_depth.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self._metrics.queue_depth.set(self._inside)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run some work on a thread of the model."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def activate(logits: Scores, activation: Activation) -> Scores:
    """Return logits `(n, n_labels)` as they are, or through a sigmoid a label."""
    if activation == "none":
        return logits
    result: Scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    return result


def ranked(
    model: ServedModel, scores: Scores, probabilities: bool, top_k: int | None = None
) -> list[list[dict[str, Any]]]:
    """Return for each row its labels, the best first, marked `unsure` where the model would abstain."""
    answers = []
    for row in scores:
        order = np.argsort(-row, kind="stable")[:top_k]
        labels: list[dict[str, Any]] = [
            {"score": float(row[index]), "label": model.labels[index]} for index in order
        ]
        if probabilities and labels and model.is_unsure(labels[0]["score"]):
            labels[0]["unsure"] = True
        answers.append(labels)
    return answers


def printable(text: str) -> str:
    """Return text that JSON can carry as UTF-8; a lone surrogate, which is not a character, becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
