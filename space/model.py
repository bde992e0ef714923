"""The model of the demo: which release, at which commit, with the figures that came with it."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from inference.classifier import FILES, Classifier

from marks import Marks, make_marks
from words import Unit

QUANTIZED = "onnx/model_quantized.onnx"
FULL = "onnx/model.onnx"
METRICS = "metrics.json"
RECIPE = "recipe.yaml"
RIGHT_ENOUGH = 0.6  # below the threshold, at most this share of the test rows was right
HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Example:
    """A text of the model card with its title."""

    title: str
    text: str


@dataclass(frozen=True)
class Pair:
    """Two texts in nearly the same words with different labels, and what is hard about them."""

    texts: tuple[str, str]
    note: str


@dataclass(frozen=True)
class Doubt:
    """Below which probability an answer counts as unsure, and what the test rows below it say.

    `right` is the share of them that was right and `rows` their number; both None where nothing was measured.
    `target` is the share of wrong answers for which the card's threshold was fitted, `coverage` the share of
    test rows at or above it and `error` how much of that was wrong; all None where the card names none. With
    a target and no rows, no threshold was found, and every answer is unsure.
    """

    threshold: float
    right: float | None
    rows: int | None
    target: float | None = None
    coverage: float | None = None
    error: float | None = None


class Model:
    """A release in a folder: the classifier of its default file, and what metrics.json and the recipe say."""

    def __init__(self, folder: Path, name: str, commit: str | None) -> None:
        """Load the small file; the large one is loaded when it is asked for. `commit` is None for a folder.

        Raises FileNotFoundError when the folder lacks a file.
        """
        self.folder, self.name, self.commit = folder, name, commit
        self.metrics = _read_json(folder / METRICS)
        self.card = _read_card(folder / RECIPE)
        self.file = QUANTIZED if (folder / QUANTIZED).is_file() else FULL
        self.classifier = Classifier(folder, self.file)
        self.classifier("warm up")
        self._lock = Lock()
        self._full: Classifier | None = None

    @property
    def labels(self) -> list[str]:
        """The names of the labels in their fixed order."""
        return self.classifier.labels

    @property
    def title(self) -> str:
        """What the model calls itself."""
        return str(self.card.get("title") or self.name)

    @cached_property
    def unit(self) -> Unit:
        """What the texts are called; a release from before that was told has texts."""
        return Unit(**self._words.get("unit", {}))

    @cached_property
    def marks(self) -> Marks:
        """The sign and the colour of each label."""
        return make_marks(self.labels, self._words.get("tones", {}))

    @property
    def pair(self) -> Pair | None:
        """The hard pair; None where the release has none."""
        pair = self._words.get("pair")
        return Pair(tuple(pair["texts"]), pair.get("note") or "") if pair else None

    @property
    def notice(self) -> str:
        """What no visitor may miss; mostly empty."""
        return str(self._words.get("notice") or "")

    @property
    def summary(self) -> str:
        """What the model is, on one line."""
        return " ".join(str(self.card.get("summary") or "").split())

    @property
    def _words(self) -> dict[str, Any]:
        words: dict[str, Any] = self.metrics.get("words") or {}
        return words

    @property
    def has_full(self) -> bool:
        """Whether there are two files to compare."""
        return self.file != FULL and (self.folder / FULL).is_file()

    def full(self) -> Classifier:
        """Return the classifier of the unquantized file, loaded once."""
        with self._lock:
            self._full = self._full or Classifier(self.folder, FULL)
            return self._full

    @property
    def page(self) -> str | None:
        """The model's page at the very commit that runs here; None for a local folder."""
        if self.commit is None:
            return None
        return f"{os.environ.get('HF_ENDPOINT', HUB).rstrip('/')}/{self.name}/tree/{self.commit}"

    @cached_property
    def doubt(self) -> Doubt:
        """From which probability on an answer counts: as the card says, else read off its reliability."""
        if abstention := self.metrics.get("abstention"):
            return read_doubt(abstention)
        default = self.metrics.get("default_variant")
        found = [one for one in self.metrics.get("variants", []) if one["name"] == default]
        return find_doubt(found[0]["scores"]["reliability"], len(self.labels)) if found else NO_FIGURES

    @property
    def examples(self) -> list[Example]:
        """The examples of the model card."""
        return [Example(one["title"], one["text"]) for one in self.metrics.get("examples", [])]


NO_FIGURES = Doubt(0.5, None, None)


def read_doubt(abstention: dict[str, Any]) -> Doubt:
    """Return the threshold that was fitted when the release was made, with what it did on the test rows."""
    target, test = abstention["target_error"], abstention["test"]
    if abstention["threshold"] is None:
        return Doubt(math.inf, None, None, target)
    below = test["error_below"]
    return Doubt(
        threshold=abstention["threshold"],
        right=None if below is None else 1 - below,
        rows=test["rows"] - test["answered"],
        target=target,
        coverage=test["coverage"],
        error=test["error"],
    )


def find_doubt(reliability: dict[str, list[float]], n_labels: int) -> Doubt:
    """Return a threshold for a release whose metrics.json has none.

    It is the largest edge of a bin below which at most RIGHT_ENOUGH of the test rows were right.
    `reliability` has bins of equal width over 0..1 with `count` and `accuracy`. Where no bin is that bad the
    threshold is 1 / n_labels, which no answer is below; it is never above 0.9.
    """
    width = 1 / len(reliability["count"])
    best, rows, right = Doubt(1 / n_labels, None, None), 0.0, 0.0
    for index, (count, accuracy) in enumerate(
        zip(reliability["count"], reliability["accuracy"], strict=True)
    ):
        rows, right = rows + count, right + count * accuracy
        edge = (index + 1) * width
        if rows and right / rows <= RIGHT_ENOUGH and edge <= 0.9:
            best = Doubt(edge, right / rows, int(rows))
    return best


def load_model(source: str, revision: str | None = None) -> Model:
    """Return the model of a local folder or a Hub id, the latter at the commit that `revision` is now.

    Raises FileNotFoundError when `source` is neither, and the Hub client's errors.
    """
    if Path(source).is_dir():
        return Model(Path(source), Path(source).name, None)
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", source):
        raise FileNotFoundError(f"MODEL_ID: {source!r} is neither a folder nor a Hub id such as 'owner/name'")
    from huggingface_hub import snapshot_download  # a local folder needs no client

    wanted = [*FILES, QUANTIZED, FULL, METRICS, RECIPE]
    folder = Path(snapshot_download(source, revision=revision, allow_patterns=wanted))
    return Model(folder, source, folder.name)


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def _read_card(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    card: dict[str, Any] = content.get("card") or {}
    return card
