"""Answers of a release on Hugging Face Inference Endpoints, and wherever their toolkit serves it.

A release holds this file as handler.py, beside the folder inference/. The toolkit puts the folder of the
release on the path of imports, makes one EndpointHandler of it, and calls that with the body of each request.
What is raised there becomes an answer 400 with the message
(https://github.com/huggingface/huggingface-inference-toolkit).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.classifier import Classifier, replace_surrogates, softmax

ONNX_FILES = ("onnx/model_quantized.onnx", "onnx/model.onnx")  # the first that is there answers
WEIGHTS = "model.safetensors"
BATCH = 32
MOST_TEXTS = 256
MOST_CHARACTERS = 100_000
MOST_LABELS = 5  # of a text where a request names no top_k, as the hosted service answers

Scores = NDArray[np.float32]
Answer = list[list[dict[str, Any]]]

log = logging.getLogger(__name__)


def sigmoid(logits: Scores) -> Scores:
    """Return logits through a sigmoid each, for labels that do not exclude each other."""
    scores: Scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    return scores


ACTIVATIONS: dict[str, Callable[[Scores], Scores]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "none": lambda logits: logits,
}


class Model(Protocol):
    """What turns texts into logits `(n, n_labels)`; `labels` name the columns."""

    labels: list[str]

    def logits(self, texts: Sequence[str]) -> Scores:
        """Return logits, rows in the order of `texts`."""


class EndpointHandler:
    """The release in a folder, asked as `InferenceClient.text_classification` and its like ask."""

    def __init__(self, path: str = "") -> None:
        """Load what the platform downloaded to `path`; FileNotFoundError when no weights are there."""
        self._model = load_model(Path(path))

    def __call__(self, data: object) -> Answer:
        """Answer `{"inputs": str | [str], "parameters": {"top_k", "function_to_apply"}}`.

        There is a list of `{label, score}` for each text, the best label first, for a single text too.
        ValueError says what is wrong with a request.
        """
        request = read_request(data)
        scores = ACTIVATIONS[request.activation](self._model.logits(request.texts))
        return [self._rank(row, request.top_k) for row in scores]

    def _rank(self, row: Scores, top_k: int | None) -> list[dict[str, Any]]:
        order = np.argsort(-row, kind="stable")[:top_k]
        return [{"label": self._model.labels[index], "score": float(row[index])} for index in order]


class TorchClassifier:
    """Classifier's answers from model.safetensors, for a platform that downloaded no ONNX file."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # nobody else needs them

        self._tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self._model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False
        ).eval()
        names = self._model.config.id2label
        self.labels: list[str] = [names[index] for index in range(len(names))]

    def logits(self, texts: Sequence[str]) -> Scores:
        """Return logits `(n, n_labels)`, rows in the order of `texts`."""
        return np.concatenate(
            [self._run(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        )

    def _run(self, texts: Sequence[str]) -> Scores:
        import torch

        clean = [replace_surrogates(text) for text in texts]
        with torch.inference_mode():
            logits = self._model(**self._tokenizer(clean, padding=True, return_tensors="pt")).logits
        return np.asarray(logits.numpy(), dtype=np.float32)


def load_model(folder: Path) -> Model:
    """Load the first of the ONNX files, else the PyTorch weights; the log says what answers instead."""
    for file in ONNX_FILES:
        if (folder / file).is_file():
            if file != ONNX_FILES[0]:
                log.warning("%s is not in %s; %s answers", ONNX_FILES[0], folder, file)
            return Classifier(folder, file)
    if (folder / WEIGHTS).is_file():
        log.warning(
            "no ONNX file is in %s; %s answers, slower, through torch and transformers. "
            "Where the toolkit downloads, HF_FRAMEWORK=onnx fetches the ONNX files",
            folder, WEIGHTS,
        )  # fmt: skip
        return TorchClassifier(folder)
    raise FileNotFoundError(
        f"{folder}: has none of {', '.join((*ONNX_FILES, WEIGHTS))}; download the whole repository, "
        "or set HF_FRAMEWORK=onnx where the toolkit downloads"
    )


@dataclass(frozen=True)
class Request:
    """What a body asks for. `top_k` None means all labels."""

    texts: list[str]
    top_k: int | None
    activation: str


def read_request(data: object) -> Request:
    """Return what a body says; ValueError says what was got and what is allowed."""
    if not isinstance(data, dict) or "inputs" not in data:
        raise ValueError(f'body: got {_describe(data)}, expected an object such as {{"inputs": "a text"}}')
    parameters = data.get("parameters")
    if not isinstance(parameters, dict | None):
        raise ValueError(
            f'parameters: got {_describe(parameters)}, expected an object such as {{"top_k": 1}}'
        )
    chosen = parameters or {}
    return Request(_read_texts(data["inputs"]), _read_top_k(chosen), _read_activation(chosen))


def _read_texts(inputs: object) -> list[str]:
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        raise ValueError(f"inputs: got {_describe(inputs)}, expected a text or a list of texts")
    if not 0 < len(texts) <= MOST_TEXTS:
        raise ValueError(
            f"inputs: got {len(texts)} texts, allowed are 1 to {MOST_TEXTS}; send several requests"
        )
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"inputs: text {position} is {_describe(text)}, expected a string")
        if len(text) > MOST_CHARACTERS:
            raise ValueError(
                f"inputs: text {position} has {len(text)} characters, allowed are {MOST_CHARACTERS}; cut it"
            )
    return texts


def _read_top_k(parameters: dict[str, Any]) -> int | None:
    top_k = parameters.get("top_k", MOST_LABELS)
    if top_k is None:
        return None
    if isinstance(top_k, int) and not isinstance(top_k, bool) and top_k > 0:
        return top_k
    raise ValueError(f"parameters.top_k: got {top_k!r:.80}, expected a number from 1, or null for all labels")


def _read_activation(parameters: dict[str, Any]) -> str:
    activation = parameters.get("function_to_apply")
    if activation is None:
        return "softmax"
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return activation
    raise ValueError(
        f"parameters.function_to_apply: got {activation!r:.80}, allowed are {', '.join(ACTIVATIONS)}, or null"
    )


def _describe(value: object) -> str:
    """Return the kind of a JSON value, or the keys of an object."""
    if isinstance(value, dict):
        return f"an object with the keys {list(value)!r:.80}" if value else "an empty object"
    return "nothing" if value is None else type(value).__name__
