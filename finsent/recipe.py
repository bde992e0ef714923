"""A recipe: everything that decides a release, in frozen sections; `finsent.recipe_file` reads the file."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from finsent.hub_id import PATTERN, check_hub_id

Share = Annotated[float, Field(ge=0, le=1)]
HubId = Annotated[str, Field(json_schema_extra={"pattern": PATTERN}), AfterValidator(check_hub_id)]
Agreement = Literal["50", "66", "75", "All"]
SplitName = Literal["train", "validation", "test"]

MAKING = {"labels", "seed", "data", "text", "base", "training", "distillation", "export"}


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values are not converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Source(Section):
    """Where rows come from: `path` (in this repository), `hub` (data set id) or `url` named by `hub`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name, used in metrics and tables")
    title: str
    licence: str = Field(description="Hub licence id, for example cc-by-4.0")
    homepage: str | None = None
    path: str | None = Field(None, description="folder, relative to the repository or absolute")
    hub: HubId | None = Field(None, description="data set id; FINSENT_MIRROR is asked first")
    revision: str | None = Field(None, description="commit, tag or branch of the Hub data set")
    url: str | None = Field(None, description="base address for sources that are not on the Hub")
    files: dict[SplitName, list[str]] = Field(
        min_length=1, description="files per split, relative to the source"
    )
    labels: dict[str, str] = Field(min_length=1, description="the source's label -> label of this recipe")
    show_texts: bool = Field(
        False, description="whether the card may show test rows that the model got wrong, word by word"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give exactly one of path and hub (url needs hub as its name in the mirror)")
        return self


class TableSource(_Source):
    """CSV, JSONL or Parquet with a text and a label column."""

    kind: Literal["table"]
    text: str = "text"
    label: str = "label"
    group: str | None = Field(None, description="column whose equal values stay on one side of a split")
    slice: str | None = Field(None, description="column by which figures are also given")


class PhrasebankSource(_Source):
    """Financial PhraseBank's zip: `sentence@label`, latin-1, nested files by annotator agreement."""

    kind: Literal["phrasebank"]
    agreement: Agreement = "50"
    shares: dict[Agreement, Share] = Field(
        {}, description="of annotators behind a label, by agreement level, learnt as its probability; else 1"
    )


class EntitySource(_Source):
    """SEntFiN's CSV: a dict entity -> label a headline; headlines whose entities disagree are left out."""

    kind: Literal["entities"]
    text: str = "Title"
    entities: str = "Decisions"


Source = Annotated[TableSource | PhrasebankSource | EntitySource, Field(discriminator="kind")]


class Fold(Section):
    """One part of a cross-validation: the groups of part `index` of `of` are the test rows."""

    index: int = Field(ge=0)
    of: int = Field(ge=2, le=100)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.index >= self.of:
            raise ValueError(f"index must be below of, got {self.index} of {self.of}")
        return self


class Data(Section):
    """Sources and how rows are shared out; shares apply where a source brings no file for that split."""

    sources: list[Source] = Field(min_length=1)
    leave_out: list[str] = Field(
        [], description="names of sources that are not used, for a recipe that extends another"
    )
    fold: Fold | None = Field(
        None,
        description="then every source is shared out anew, whatever files it brings, and test is the fold",
    )
    validation: Share = 0.1
    test: Share = 0.15
    near_duplicates: float = Field(
        0.7, gt=0, le=1, description="char-5-gram Jaccard from which rows stay together"
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_sources_out(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever stands in the file)
        section = tree if isinstance(tree, dict) else {}
        sources, left = section.get("sources"), section.get("leave_out")
        if not (isinstance(left, list) and left and isinstance(sources, list)):
            return tree
        if not all(isinstance(source, dict) for source in sources):
            return tree  # the checks of each source say what is wrong
        names = [source.get("name") for source in sources]
        if unknown := [name for name in left if name not in names]:
            raise ValueError(f"leave_out: unknown source {unknown[0]!r}, allowed: {names}")
        used = [source for source in sources if source.get("name") not in left]
        return section | {"sources": used, "leave_out": []}

    @model_validator(mode="after")
    def _leaves_rows_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation and test must be below 1 together, got {self.validation} and {self.test}"
            )
        return self

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ, got {names}")
        return sources


class Text(Section):
    """Rules that are compiled into tokenizer.json; nothing else cleans text."""

    drop_links: bool = True
    strip_cashtags: bool = Field(True, description="$AAPL becomes AAPL")
    lowercase: bool = True
    max_characters: int = Field(500, ge=16, description="keeps every text below the position limit")


class Base(Section):
    """The encoder to start from: a Python package that carries it, a folder, or a Hub model."""

    hub: HubId = Field(
        description="origin, for the card; loaded from there when neither package nor path is given"
    )
    licence: str
    revision: str | None = None
    package: str | None = Field(None, description="importable package that holds the weights")
    folder: str = Field(".", description="folder inside the package")
    path: str | None = None
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of model.safetensors")
    layers: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=1, description="layers to keep, in order"
    )
    vocabulary: int | None = Field(
        None, ge=500, description="pieces to keep, by frequency in the training rows"
    )
    characters: Literal["all", "latin"] = Field(
        "all",
        description="of the kept pieces; latin: letters of other scripts only if training rows have them",
    )
    positions: int | None = Field(
        None, ge=32, description="position embeddings to keep; text.max_characters must fit"
    )
    feed_forward: int | None = Field(
        None, ge=8, description="inner neurons a layer to keep, by their share in what the layer gives"
    )
    width: int | None = Field(
        None, ge=8, description="hidden size to project to, along the principal components of hidden states"
    )


class Training(Section):
    """How the weights are fitted."""

    seed: int | None = Field(
        None, ge=0, lt=2**32, description="of head, order and dropout; else the recipe's"
    )
    epochs: float = Field(4, gt=0, le=100)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(6e-5, gt=0, lt=1)
    warmup: Share = 0.1
    weight_decay: float = Field(0.01, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced", "root"] = Field(
        "none", description="root: square root of balanced"
    )
    dropout: Share | None = Field(
        None, description="of hidden states and attention while fitting; else the encoder's own"
    )
    freeze_pieces: bool = Field(
        False, description="leave the vectors of the word pieces as they are: faster, as accurate"
    )
    max_tokens: int = Field(128, ge=8, description="longer rows are cut in training only")
    evaluations: int = Field(4, ge=1, description="validations over the whole run; the best one is kept")
    patience: int = Field(3, ge=1, description="validations without a better macro F1 before stopping")
    bf16: Literal["auto", "on", "off"] = "auto"


class Distillation(Section):
    """Teachers whose mean probabilities are learnt beside the labels (https://arxiv.org/abs/1503.02531)."""

    teachers: list[Recipe] = Field(
        min_length=1,
        description="recipe files beside this one, or recipes; made first where runs/ lacks them",
    )
    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] = Field(
        [], description="training seeds; every teacher is made once with each, else with its own"
    )
    weight: Share = Field(0.7, description="of the teachers' probabilities; the label has the rest")
    temperature: float = Field(1.0, gt=0, le=20, description="divides the teachers' logits")
    variants: int = Field(
        0, ge=0, le=100, description="perturbed copies a training text, which the teachers alone label"
    )
    start: Literal["base", "teacher"] = Field(
        "base", description="whose encoder to start from; teacher: the first one's, with its head"
    )

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds must differ, got {seeds}")
        return seeds


class Energy(Section):
    """Figures for an estimate: stated power times measured seconds, never a measurement."""

    watts: float = Field(gt=0, description="assumed power draw of the machine while training")
    grams_per_kwh: float = Field(gt=0, description="assumed grid intensity, g CO2 equivalent a kWh")


class Budget(Section):
    """What a variant may lose against PyTorch before it is not released."""

    macro_f1_drop: Share = 0.015
    flips: Share = Field(0.06, description="share of test rows whose label differs from PyTorch's")
    batch_difference: float = Field(
        1e-6, ge=0, description="largest |Δp| between a text alone and in a padded batch"
    )


class Variant(Section):
    """One ONNX file of the release, by transformers.js' name."""

    name: Literal["fp32", "quantized"]
    required: bool = True
    keep_float: list[str] = Field([], description="regular expressions of graph nodes that stay in fp32")
    calibration_rows: int = Field(256, ge=8)
    budget: Budget = Budget()


class Export(Section):
    """Which ONNX files are made."""

    opset: int = Field(17, ge=17, le=20, description="from 17 on layer norms are nodes of their own")
    variants: list[Variant] = Field(min_length=1)

    @field_validator("variants")
    @classmethod
    def _starts_with_fp32(cls, variants: list[Variant]) -> list[Variant]:
        names = [variant.name for variant in variants]
        if names[0] != "fp32" or len(set(names)) != len(names):
            raise ValueError(
                f"variants must be distinct and start with fp32, from which the others are made, got {names}"
            )
        return variants


class Evaluation(Section):
    """How the figures are made."""

    bootstrap: int = Field(1000, ge=100, description="resamples for the 95 % interval")
    latency_texts: int = Field(300, ge=10, description="test rows timed one by one")
    abstain_error: float = Field(
        0.1, gt=0, lt=1, description="share of wrong answers above the threshold that is fitted for it"
    )
    batch_size: int = Field(32, ge=2)


class Example(Section):
    """A text for the widget, with the label that a reader would expect."""

    title: str
    text: str
    expected: str


class Card(Section):
    """The words of the model card that no run can find out."""

    title: str
    summary: str
    intended_use: str
    out_of_scope: list[str] = Field(min_length=1)
    limits: list[str] = Field(min_length=1)
    licence: str = Field("apache-2.0", description="refused where a source forbids it")
    language: str = Field("en", pattern=r"^[a-z]{2}$")
    tags: list[str] = ["finance", "sentiment-analysis"]
    authors: list[str] = Field(min_length=1)
    label_meanings: dict[str, str]
    examples: list[Example] = Field(min_length=1)


class Hub(Section):
    """Where the release goes."""

    model: HubId
    space: HubId


class Recipe(Section):
    """One release."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="also the folder below runs/")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    seed: int = Field(ge=0, lt=2**32)
    labels: list[str] = Field(min_length=2, description="their order is that of the logits")
    data: Data
    text: Text = Text()
    base: Base
    training: Training = Training()
    distillation: Distillation | None = None
    energy: Energy | None = None
    export: Export
    evaluation: Evaluation = Evaluation()
    card: Card
    hub: Hub

    @model_validator(mode="after")
    def _labels_hold_together(self) -> Self:
        allowed = set(self.labels)
        if len(allowed) != len(self.labels):
            raise ValueError(f"labels must differ, got {self.labels}")
        for where, names in self._label_uses():
            if unknown := sorted(set(names) - allowed):
                raise ValueError(f"{where}: unknown label {unknown[0]!r}, allowed: {self.labels}")
        return self

    def _label_uses(self) -> list[tuple[str, list[str]]]:
        uses = [
            (f"data.sources.{source.name}.labels", list(source.labels.values()))
            for source in self.data.sources
        ]
        uses.append(("card.label_meanings", list(self.card.label_meanings)))
        return [*uses, ("card.examples.expected", [example.expected for example in self.card.examples])]

    @model_validator(mode="after")
    def _teachers_speak_of_the_same(self) -> Self:
        names = [self.name, *(teacher.name for teacher in self.teachers)]
        if len(set(names)) != len(names):
            raise ValueError(f"distillation.teachers: names must differ, as each has its folder, got {names}")
        for teacher in self.teachers:
            for key in ("labels", "seed", "data"):
                if getattr(teacher, key) != getattr(self, key):
                    raise ValueError(
                        f"distillation.teachers: {teacher.name} has another {key} than {self.name}; it must "
                        "be the same, or a teacher could have learnt from this recipe's test rows"
                    )
        if self.distillation and self.distillation.start == "teacher":
            first = self.teachers[0]
            for key in ("hub", "revision", "sha256", "licence"):
                if getattr(first.base, key) != getattr(self.base, key):
                    raise ValueError(
                        f"distillation.start: {first.name} comes from another base ({key}) than {self.name}; "
                        "take the same, or start from the base"
                    )
        return self

    @property
    def teachers(self) -> list[Recipe]:
        """The recipes whose releases teach this one, one a seed; mostly none."""
        if self.distillation is None:
            return []
        named, seeds = self.distillation.teachers, self.distillation.seeds
        return [teacher.with_seed(seed) for teacher in named for seed in seeds] if seeds else named

    @property
    def training_seed(self) -> int:
        """The seed of head, order and dropout; `seed` itself decides the splits."""
        return self.seed if self.training.seed is None else self.training.seed

    def with_seed(self, seed: int) -> Recipe:
        """Return this recipe with another training seed, and a name that says so."""
        training = self.training.model_copy(update={"seed": seed})
        return self.model_copy(update={"name": f"{self.name}-seed-{seed}", "training": training})

    def fingerprint(self) -> str:
        """Return the sha256 of all that the recipe says, whatever the layout of its file."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def making_fingerprint(self) -> str:
        """Return the sha256 of what decides the weights: not what the card shows, nor keys left alone."""
        shown = {"data": {"sources": {"__all__": {"show_texts"}}}}
        told = self.model_dump(mode="json", include=MAKING, exclude=shown, exclude_defaults=True)
        told |= {"training_seed": self.training_seed}
        if self.distillation is not None:
            told["distillation"] |= {"teachers": [one.making_fingerprint() for one in self.teachers]}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
