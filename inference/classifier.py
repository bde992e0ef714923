"""Text in, probabilities out, from one ONNX file: numpy, onnxruntime and tokenizers, nothing else.

This is the inference code of the demo and of every measured figure. It imports nothing else of the project,
because a push copies it into the Space. Cleaning and the bound on length are compiled into tokenizer.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
BLOCK = 4096  # texts that are tokenized and sorted together; bounds the memory of a long list
TOKENS_A_BATCH = 4096  # padded tokens: keeps the activations of one batch in the cache of a core

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """The label of one text, its probability, and those of all labels in the model's order."""

    label: str
    score: float
    scores: dict[str, float]


class Classifier:
    """A text classifier from a folder or a Hub id.

    `labels` are the names in the order of the probabilities. Calls from several threads are safe.
    """

    def __init__(
        self,
        source: str | Path,
        file: str = "onnx/model_quantized.onnx",
        revision: str | None = None,
        threads: int = 1,
    ) -> None:
        """Load `file` of a release folder or Hub repository; `threads` share a batch.

        Raises FileNotFoundError when the folder lacks a file, and the Hub client's errors for a Hub id.
        """
        folder = fetch(str(source), (*FILES, file), revision)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.labels: list[str] = [config["id2label"][str(index)] for index in range(len(config["id2label"]))]
        self.file = folder / file
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._pad = int(config.get("pad_token_id") or 0)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(self.file), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def __call__(self, text: str) -> Prediction:
        """Classify one text. TypeError if it is not a string."""
        encodings = self._tokenizer.encode_batch_fast(_check_texts([text]))
        return self._describe(softmax(self._run(encodings))[0])

    def classify(self, texts: Sequence[str], batch_size: int = 32) -> list[Prediction]:
        """Classify many texts, in their order. TypeError if one is not a string."""
        return [self._describe(row) for row in self.predict(texts, batch_size)]

    def predict(self, texts: Sequence[str], batch_size: int = 32) -> Probabilities:
        """Return probabilities `(n, n_labels)`, rows in the order of `texts`, columns in that of `labels`.

        Texts of like length share a batch. TypeError names the position of an item that is not a string;
        every string has an answer, an empty one and one with lone surrogates too.
        """
        return softmax(self.logits(texts, batch_size))

    def logits(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """Return what `predict` makes probabilities of, `(n, n_labels)`, in the same order."""
        result = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for positions, logits in self._batches(texts, batch_size):
            result[positions] = logits
        return result

    def batches(
        self, texts: Sequence[str], batch_size: int = 32
    ) -> Iterator[tuple[NDArray[np.intp], Probabilities]]:
        """Yield what `predict` puts together: positions in `texts` `(m,)`, probabilities `(m, n_labels)`.

        For who shows progress or stops half way. TypeError names the position of an item that is not a
        string.
        """
        for positions, logits in self._batches(texts, batch_size):
            yield positions, softmax(logits)

    def tokenize(self, texts: Sequence[str], special: bool = True) -> list[Encoding]:
        """Return the tokens of each text with their places in it, as the model reads them."""
        return list(self._tokenizer.encode_batch(_check_texts(texts), add_special_tokens=special))

    def _batches(
        self, texts: Sequence[str], batch_size: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        checked = _check_texts(texts)
        for start in range(0, len(checked), BLOCK):
            encodings = self._tokenizer.encode_batch_fast(checked[start : start + BLOCK])
            for batch in _like_lengths(encodings, batch_size):
                yield start + batch, self._run([encodings[index] for index in batch])

    def _run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        width = max(len(encoding.ids) for encoding in encodings)
        ids = np.full((len(encodings), width), self._pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        feed: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.zeros_like(ids)
        logits: NDArray[np.float32] = self._session.run(["logits"], feed)[0]
        return logits

    def _describe(self, row: Probabilities) -> Prediction:
        best = int(row.argmax())
        scores = {label: float(value) for label, value in zip(self.labels, row, strict=True)}
        return Prediction(self.labels[best], float(row[best]), scores)


def softmax(logits: NDArray[np.float32]) -> Probabilities:
    """Turn logits `(n, n_labels)` into probabilities, computed in float64 and safe for large values."""
    exponential = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = (exponential / exponential.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def _check_texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("got a string, expected a list of texts; write [text]")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {position}: got {type(text).__name__}, expected str; drop it or write ''")
    return [replace_surrogates(text) for text in texts]


def replace_surrogates(text: str) -> str:
    """Return the text with `?` for lone surrogates, which no UTF-8 can hold; `tokenizers` raises on them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _like_lengths(encodings: list[Encoding], batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Yield positions in batches of like length, at most `batch_size` rows and TOKENS_A_BATCH tokens."""
    lengths = np.array([len(encoding.ids) for encoding in encodings])
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = min(start + batch_size, len(order))
        while stop > start + 1 and lengths[order[stop - 1]] * (stop - start) > TOKENS_A_BATCH:
            stop -= 1
        yield order[start:stop]
        start = stop


def fetch(
    source: str, files: Sequence[str], revision: str | None, required: Sequence[str] | None = None
) -> Path:
    """Return the folder that holds the files: `source` itself, or a snapshot of that Hub repository.

    Raises FileNotFoundError when one of `required` (all of them by default) is missing.
    """
    folder = Path(source)
    if not folder.is_dir():
        if source.count("/") != 1 or source.startswith((".", os.sep)):
            raise FileNotFoundError(f"{source!r} is neither a folder nor a Hub id such as 'owner/name'")
        from huggingface_hub import snapshot_download  # only needed here, and slow to import

        folder = Path(snapshot_download(source, revision=revision, allow_patterns=list(files)))
    if missing := [name for name in required or files if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{source}: {', '.join(missing)} missing; is it a finsent release?")
    return folder
