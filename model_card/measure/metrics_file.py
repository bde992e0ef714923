"""The schema of metrics.json: all that was measured in one run, with its protocol.

A figure is printed only from here. Shares are 0..1, times seconds unless the name says milliseconds, sizes
bytes. What is said of one set of predictions (accuracy, ECE and the like) is `finsent.scoring.Scores`.

A new figure is a field with a default, where it is computed, and a line in the card. A file from before has
the default then, and of a file from later what is not known here is passed over. SCHEMA_VERSION rises only
when a name changes or goes: the old one stands in RENAMED, and a finsent of before refuses the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from export.gate import Drift
from finsent.cautions import ScriptWords
from finsent.data.report import DataReport
from finsent.errors import ReleaseError
from finsent.scoring import Interval, Scores
from finsent.training.report import TrainingReport
from model_card.behaviour.rates import SuiteRate
from model_card.explanations.figures import Explanations, WordEffects
from model_card.measure.abstention import Abstention
from model_card.measure.words import Words

PYTORCH = "pytorch"
# 1 had no behaviour and no slice of a mistake, 2 no abstention, 3 other names; all are still read
SCHEMA_VERSION = 4
# Both are written into a command of the card and used as a path, and the file may be a stranger's.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*\z")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
RENAMED = {"agreement": "drift", "flips": "flip_count"}  # keys of a variant up to version 3


class _Figures(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Timing(_Figures):
    """One text at a time and many together, tokenizer included; `texts` is how many were timed one by one."""

    texts: int
    threads: int
    p50_ms: float
    p99_ms: float
    texts_a_second: float


class VariantFigures(_Figures):
    """One file of weights; `name` is that of finsent/onnx_files.py, or PYTORCH.

    `drift` is None for PyTorch, with which the others are compared.
    """

    name: str
    file: FileName
    runtime: str
    precision: str
    bytes: int
    sha256: Sha256
    scores: Scores
    drift: Drift | None
    timing: Timing

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever is in the file)
        return _rename_keys(tree)


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
    explanation: WordEffects | None = None


class Mistake(_Figures):
    """A test row that the released default file gets wrong; only of sources whose text may be shown."""

    text: str
    expected: str
    predicted: str
    score: float
    slice: str = ""
    explanation: WordEffects | None = None


class TextResults(_Figures):
    """The test rows as the model sees them: their words by script, and what the bound on length costs.

    `cut` of `rows` texts are cut; the accuracies are of the default file, None where there is no such row.
    """

    rows: int
    cut: int
    bound: int
    accuracy_cut: float | None
    accuracy_whole: float | None
    scripts: dict[str, ScriptWords]


class SeenRows(_Figures):
    """A sample of the training rows, as the default file answers them.

    `gap` is its accuracy less that of the test rows.
    """

    rows: int
    accuracy: float
    accuracy_interval: Interval
    gap: float
    gap_interval: Interval


class BesideTeacher(_Figures):
    """The teachers, of several the mean of their probabilities, on the test rows, beside the default file.

    `agreement` is the share of rows that both answer alike; the last three are the rows that only one of
    them has right, and McNemar's exact p of these.
    """

    rows: int
    accuracy: float
    accuracy_interval: Interval
    agreement: float
    teacher_alone: int
    student_alone: int
    p: float


class RuntimeRun(_Figures):
    """A program of the release that was run from its files: how many texts it answered, and the largest |Δp|.

    The difference is to the default file's probabilities of the examples.
    """

    name: str
    texts: int
    difference: float


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

    `abstention`, `texts`, `seen_rows` and `explanations` are of the default file; None in a release from
    before they were measured. `explanations` is None, too, where measuring them would take too long, and
    `beside_teacher` where there is no teacher.
    `weak` says which simpler method does as well, `runtimes` what was run beside what measured it.
    `not_loaded_by` names the runtimes that know no classifier of this architecture.
    `peak_memory_bytes` is of the process that made it all.
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
    default_variant: str
    data: DataReport
    training: TrainingReport
    variants: list[VariantFigures]
    dropped: list[Dropped]
    baselines: list[Baseline]
    by_source: dict[str, Scores]
    by_slice: dict[str, Scores]
    examples: list[ExampleResult]
    mistakes: list[Mistake]
    behaviour: list[SuiteRate] = []
    abstention: Abstention | None = None
    texts: TextResults | None = None
    seen_rows: SeenRows | None = None
    explanations: Explanations | None = None
    beside_teacher: BesideTeacher | None = None
    weak: list[str] = []
    peak_memory_bytes: int | None = None
    words: Words = Words()
    runtimes: list[RuntimeRun] = []
    not_loaded_by: list[str] = []
    machine: Machine

    @model_validator(mode="before")
    @classmethod
    def _is_known(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever is in the file)
        found = tree.get("schema_version") if isinstance(tree, dict) else None
        if isinstance(found, int) and found > SCHEMA_VERSION:
            raise ValueError(
                f"has schema version {found}, but this finsent reads up to {SCHEMA_VERSION}; use a newer "
                "finsent"
            )
        return tree

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if self.default_variant not in (names := [one.name for one in self.variants]):
            raise ValueError(f"default_variant: {self.default_variant!r} is not one of the variants {names}")
        return self

    def run_of(self, name: str) -> RuntimeRun | None:
        """Return how a program of the release was run when it was made, None when it was not."""
        return next((one for one in self.runtimes if one.name == name), None)

    def is_loaded_by(self, runtime: str) -> bool:
        """Tell whether a runtime knows classifiers of this architecture."""
        return runtime not in self.not_loaded_by

    def variant(self, name: str) -> VariantFigures:
        """Return the figures of a variant; KeyError if it was not released."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)


def _rename_keys(tree: Any) -> Any:  # noqa: ANN401  (a mapping with whatever below it)
    """Give a variant and what is directly below it the names of today; a figure that has them stays."""
    if not isinstance(tree, dict):
        return tree
    named = {RENAMED.get(key, key): value for key, value in tree.items()}
    return named | {"drift": _rename_keys(named["drift"])} if "drift" in named else named


def write_metrics(metrics: Metrics, path: Path) -> None:
    """Write metrics.json in a stable layout."""
    path.write_text(metrics.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_metrics(path: Path) -> Metrics:
    """Read metrics.json; ReleaseError if it is missing or of another schema."""
    try:
        return Metrics.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error}); run train.py first") from None
    except ValidationError as error:
        raise ReleaseError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message} (schema version {SCHEMA_VERSION})" if where else message
