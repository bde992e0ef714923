"""The schema of metrics.json: all that was measured in one run, with its protocol.

A figure is printed only from here. Shares are 0..1, times seconds unless the name says milliseconds, sizes
bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finsent.data.report import DataReport
from finsent.errors import ReleaseError
from finsent.scoring import Scores
from finsent.training.report import TrainingReport
from model_card.measure.abstention import Abstention

# 1 had no behaviour and no slice of a mistake, 2 no abstention; both are still read
SCHEMA_VERSION = 3


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Timing(_Figures):
    """One text at a time and many together, tokenizer included; `texts` is how many were timed one by one."""

    texts: int
    threads: int
    p50_ms: float
    p99_ms: float
    texts_a_second: float


class Agreement(_Figures):
    """How a variant differs from PyTorch on the same rows: labels that flip, and the largest |Δp|."""

    flips: int
    flip_share: float
    max_probability_difference: float
    macro_f1_drop: float
    batch_difference: float


class VariantFigures(_Figures):
    """One file of weights. `agreement` is None for PyTorch, to which the others are compared."""

    name: Literal["pytorch", "fp32", "quantized"]
    file: str
    runtime: str
    precision: str
    bytes: int
    sha256: str
    scores: Scores
    agreement: Agreement | None
    timing: Timing


class Dropped(_Figures):
    """A variant that did not pass the gate, and why."""

    name: str
    reasons: list[str]


class Baseline(_Figures):
    """A simple way to do the same, on the same rows."""

    name: str
    scores: Scores


class ExampleResult(_Figures):
    """A widget example and what the released default file says of it (label -> probability)."""

    title: str
    text: str
    expected: str
    scores: dict[str, float]


class Mistake(_Figures):
    """A test row that the released default file gets wrong; only of sources whose text may be shown."""

    text: str
    expected: str
    predicted: str
    score: float
    slice: str = ""


class BehaviourRate(_Figures):
    """How many cases of a behaviour suite went well; `low` and `high` bound a 95 % Wilson interval."""

    name: str
    measures: str
    n: int
    passed: int
    rate: float
    low: float
    high: float


class Machine(_Figures):
    """What the figures were measured on."""

    processor: str
    cores: int
    flags: list[str]
    memory_bytes: int
    system: str
    versions: dict[str, str]


class Metrics(_Figures):
    """What a run found out. `by_source` and `by_slice` score the default file on parts of the test rows.

    `abstention` is of the default file; None in a release from before it was measured.
    """

    schema_version: int
    recipe: str
    recipe_sha256: str
    version: str
    created: str
    parameters: int
    vocabulary: int
    layers: int
    hidden_size: int
    positions: int
    licence: str
    protocol: str
    default_variant: Literal["fp32", "quantized"]
    data: DataReport
    training: TrainingReport
    variants: list[VariantFigures]
    dropped: list[Dropped]
    baselines: list[Baseline]
    by_source: dict[str, Scores]
    by_slice: dict[str, Scores]
    examples: list[ExampleResult]
    mistakes: list[Mistake]
    behaviour: list[BehaviourRate] = []
    abstention: Abstention | None = None
    machine: Machine

    def variant(self, name: str) -> VariantFigures:
        """Return the figures of a variant; KeyError when it was not released."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)


def write_metrics(metrics: Metrics, path: Path) -> None:
    """Write metrics.json in a stable layout."""
    path.write_text(metrics.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_metrics(path: Path) -> Metrics:
    """Read metrics.json; ReleaseError when it is missing or of another schema."""
    try:
        return Metrics.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error}); run train.py first") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReleaseError(f"{path}: {where}: {first['msg']} (schema version {SCHEMA_VERSION})") from None
