"""The release that is served: its classifier, checked against metrics.json, and what it says of itself."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from inference.classifier import FILES, Classifier, fetch

QUANTIZED, FULL = "onnx/model_quantized.onnx", "onnx/model.onnx"
METRICS = "metrics.json"
ABSTAIN_BELOW = "finsent_abstain_below"
EXAMPLES = ("A text", "Another text")  # of a release that names none


class _File(BaseModel):
    file: str
    sha256: str


class _Example(BaseModel):
    text: str


class _Abstention(BaseModel):
    threshold: float | None = None


class _Metrics(BaseModel):
    """What a server reads of metrics.json; of a release without one, nothing."""

    recipe: str | None = None
    version: str | None = None
    variants: list[_File] = []
    examples: list[_Example] = []
    abstention: _Abstention | None = None


class ModelError(Exception):
    """A release that cannot be served; the message says why and what to do."""


@dataclass(frozen=True)
class ServedModel:
    """One release in memory. `abstain_below` is a probability, 0 where the release names no threshold."""

    name: str
    revision: str | None
    file: str
    sha256: str
    version: str | None
    abstain_below: float
    max_tokens: int
    examples: tuple[str, ...]
    classifier: Classifier

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the probabilities."""
        return self.classifier.labels

    def is_unsure(self, probability: float) -> bool:
        """Whether the release would rather abstain than give an answer of this probability."""
        return probability < self.abstain_below


def load_model(source: str, revision: str | None = None, name: str | None = None) -> ServedModel:
    """Load a release from a run's folder, a release folder or a Hub id, and check its files.

    The quantized file is served where the release has one. ModelError when the folder is no release, or a
    file is not the one that metrics.json describes.
    """
    folder = _find(source, revision)
    metrics, config = _read_metrics(folder / METRICS), _read_json(folder / "config.json")
    file = QUANTIZED if (folder / QUANTIZED).is_file() else FULL
    measured = {one.file: one.sha256 for one in metrics.variants}
    found = _sha256(folder / file)
    if measured.get(file, found) != found:
        raise ModelError(
            f"{folder / file}: sha256 is {found}, {METRICS} says {measured[file]}; this is not the file "
            "that was measured: download it again"
        )
    local = Path(source).is_dir()
    threshold = config.get(ABSTAIN_BELOW)
    return ServedModel(
        name=name or ((metrics.recipe or folder.resolve().name) if local else source),
        revision=None if local else folder.name,
        file=file,
        sha256=found,
        version=metrics.version,
        abstain_below=float(threshold) if isinstance(threshold, int | float) else _no_threshold(metrics),
        max_tokens=int(config.get("max_position_embeddings", 512)),
        examples=tuple(one.text for one in metrics.examples) or EXAMPLES,
        classifier=_load_classifier(folder, file),
    )


def _load_classifier(folder: Path, file: str) -> Classifier:
    try:
        return Classifier(folder, file, threads=1)
    except Exception as error:  # tokenizers and onnxruntime raise types of their own, or none
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        files = f"{file}, {', '.join(FILES)}"
        raise ModelError(f"{folder}: {files} cannot be loaded ({reason}); download them again") from error


def _find(source: str, revision: str | None) -> Path:
    folder = Path(source)
    if folder.is_dir():
        release = folder / "release"
        folder = release if release.is_dir() else folder
        missing = [one for one in FILES if not (folder / one).is_file()]
        if missing:
            raise ModelError(f"{folder}: {', '.join(missing)} missing; name a run, a release or a Hub id")
        return folder
    try:
        return fetch(source, (*FILES, QUANTIZED, FULL, METRICS), revision, required=FILES)
    except Exception as error:  # the Hub's client raises a dozen unrelated types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{source}: cannot be loaded ({reason}); name a run, a release or a Hub id"
        ) from error


def _no_threshold(metrics: _Metrics) -> float:
    """0 where nothing was fitted; infinite where a threshold was sought and none was good enough."""
    return math.inf if metrics.abstention and metrics.abstention.threshold is None else 0.0


def _read_metrics(path: Path) -> _Metrics:
    try:
        return _Metrics.model_validate(_read_json(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise ModelError(f"{path}: {key}: {problem['msg']}; download it again") from error


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: is no JSON ({error}); download it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds {type(content).__name__}, expected an object; download it again")
    return content


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise ModelError(f"{path}: is missing; is this a finsent release?")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
