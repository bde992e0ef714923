"""A recipe: everything that decides a release, in frozen sections by stage."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator
from pydantic_core import to_json

from finsent.onnx_files import FP32
from finsent.recipe.adapter import Adapter
from finsent.recipe.card import Card, Hub
from finsent.recipe.data import Data, Origin
from finsent.recipe.encoder import Base
from finsent.recipe.evaluation import Evaluation
from finsent.recipe.export import Export
from finsent.recipe.pretraining import Pretraining
from finsent.recipe.renamed import with_first_names
from finsent.recipe.section import Placed, Section, Seed, Share, Version
from finsent.recipe.text import Text
from finsent.recipe.training import Energy, Training
from finsent.release import RUNS

WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
MAKING = {"labels", "seed", "data", "text", "base", "training", "adapter", "distillation", "export"}


class Distillation(Section):
    """Teachers whose mean probabilities are learnt in addition to the labels (https://arxiv.org/abs/1503.02531)."""

    teachers: list[Recipe] = Field(
        min_length=1,
        description="recipe files next to this one, or recipes; built first unless runs/ has them from the "
        "same recipe and texts",
    )
    answers: str | None = Field(
        None,
        exclude_if=lambda folder: folder is None,  # recipes from before it keep their fingerprint
        description="folder with the teachers' written answers, from train.py --write-answers; the teachers "
        "are then not built",
    )
    seeds: list[Seed] = Field(
        [], description="training seeds; every teacher is built once with each, by default with its own"
    )
    weight: Share = Field(0.7, description="weight of the teachers' probabilities; the label gets the rest")
    temperature: float = Field(1.0, gt=0, le=20, description="divides the teachers' logits")
    augmentations: int = Field(
        0, ge=0, le=100, description="perturbed copies of every training text, labelled by the teachers alone"
    )
    splices: int = Field(
        0,
        ge=0,
        le=100,
        exclude_if=lambda copies: not copies,  # as above
        description="copies of every training text that end as another does; only the teachers label them",
    )
    transfer: int = Field(
        0,
        ge=0,
        exclude_if=lambda count: not count,  # recipes from before it keep their fingerprint
        description="most texts to learn from in data.unlabelled; only the teachers label them",
    )
    opposites: list[tuple[str, str]] = Field(
        [],
        exclude_if=lambda pairs: not pairs,  # as above
        description="pairs of words such as [rose, fell]; each training text gets a copy in which one of "
        "these words is replaced by its opposite, or two figures change places; only teachers label it",
    )
    initialize_from: Literal["base", "teacher"] = Field(
        "base", description="teacher: start from the weights of the first one, head included"
    )

    @model_validator(mode="after")
    def _answers_have_no_weights(self) -> Self:
        if self.answers is not None and self.initialize_from == "teacher":
            raise ValueError("initialize_from: got teacher with answers, which hold no weights; use base")
        return self

    @field_validator("opposites")
    @classmethod
    def _opposites_are_words(cls, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        words = Counter(word for pair in pairs for word in pair)
        if wrong := [word for word in words if word != word.lower() or not WORD.fullmatch(word)]:
            raise ValueError(f"{wrong}: each opposite is one word in lower case")
        if twice := [word for word, count in words.items() if count > 1]:
            raise ValueError(f"{twice}: a word has one opposite, so it may be in one pair only")
        return pairs

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds must differ, got {seeds}")
        return seeds


class Recipe(Placed):
    """One release."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", description="name of the recipe and of its folder in runs/"
    )
    version: Version = Field(description="version of the release, such as 0.1.0; also the tag of a push")
    seed: Seed = Field(description="seed of the splits and, unless training.seed is given, of training")
    labels: list[str] = Field(min_length=2, description="the labels, in the order of the logits")
    data: Data = Field(description="the rows and how they are split")
    text: Text = Field(Text(), description="the rules that clean a text")
    base: Base = Field(description="the encoder to start from, and what to keep of it")
    training: Training = Field(Training(), description="how the model is trained")
    adapter: Adapter | None = Field(
        None,
        exclude_if=lambda adapter: adapter is None,  # recipes from before it keep their fingerprint
        description="small weights that are trained instead of the encoder's, and then merged into them",
    )
    distillation: Distillation | None = Field(None, description="teachers to learn from")
    energy: Energy | None = Field(None, description="figures for an estimate of energy and CO2")
    export: Export = Field(description="the ONNX files")
    evaluation: Evaluation = Field(Evaluation(), description="how the release is measured")
    allow_weak: bool = Field(
        False,
        exclude_if=lambda allowed: not allowed,  # recipes from before it keep their fingerprint
        description="release it even if word counts or the most frequent label do as well; the card says so",
    )
    card: Card = Field(description="the words of the model card and the demo")
    hub: Hub = Field(description="the ids to publish under")
    _runs: Path = PrivateAttr(RUNS)

    @model_validator(mode="after")
    def _knows_where_runs_lie(self, info: ValidationInfo) -> Self:
        self._runs = (info.context or {}).get("runs", self._runs)
        return self

    @property
    def runs(self) -> Path:
        """The folder of all runs, in which encoders lie that recipes of pretraining make."""
        return self._runs

    @model_validator(mode="after")
    def _labels_hold_together(self) -> Self:
        allowed = set(self.labels)
        if len(allowed) != len(self.labels):
            raise ValueError(f"labels must differ, got {self.labels}")
        for where, names in self._label_uses():
            if unknown := sorted(set(names) - allowed):
                raise ValueError(f"{where}: unknown label {unknown[0]!r}, allowed: {self.labels}")
        return self

    @model_validator(mode="after")
    def _words_name_all_labels(self) -> Self:
        form = self.base.text_to_text
        if form is not None and (lost := [label for label in self.labels if label not in form.words]):
            raise ValueError(
                f"base.text_to_text.words: the label {lost[0]!r} has no word; every label needs one"
            )
        return self

    @model_validator(mode="after")
    def _is_slim_where_that_is_exact(self) -> Self:
        if not self.base.slim_attention:
            return self
        if self.base.text_to_text is None:
            raise ValueError(
                "base.slim_attention: needs base.text_to_text, because an encoder keeps no keys and values, "
                "and a head reads the decoder only once; leave it out"
            )
        if self.training.bf16 != "off":
            raise ValueError(
                f"base.slim_attention: got training.bf16: {self.training.bf16}; keys in bf16 give values "
                'that are wrong by some percent; write bf16: "off"'
            )
        if rounded := [variant.name for variant in self.export.variants if variant.name != FP32.name]:
            raise ValueError(
                f"base.slim_attention: got the variant {rounded[0]!r} in export.variants; rounded keys give "
                "other values than the model's; list only fp32 there"
            )
        return self

    def _label_uses(self) -> list[tuple[str, list[str]]]:
        uses = [
            (
                f"data.sources.{source.name}.labels",
                [label for label in source.labels.values() if label is not None],
            )
            for source in self.data.sources
        ]
        if self.base.text_to_text is not None:
            uses.append(("base.text_to_text.words", list(self.base.text_to_text.words)))
        uses.append(("card.label_meanings", list(self.card.label_meanings)))
        uses.append(("card.tones", list(self.card.tones)))
        return [*uses, ("card.examples.expected", [example.expected for example in self.card.examples])]

    @model_validator(mode="after")
    def _teachers_fit(self) -> Self:
        names = [self.name, *(teacher.name for teacher in self.teachers)]
        if len(set(names)) != len(names):
            raise ValueError(
                f"distillation.teachers: names must differ, because each has its own folder, got {names}"
            )
        for teacher in self.teachers:
            for key in ("labels", "seed"):
                if getattr(teacher, key) != getattr(self, key):
                    raise ValueError(
                        f"distillation.teachers: {teacher.name} has another {key} than {self.name}; it must "
                        "be the same, or a teacher could have been trained on this recipe's test rows"
                    )
        return self

    @model_validator(mode="after")
    def _encoders_have_folders_of_their_own(self) -> Self:
        recipes: list[Recipe] = [self, *self.teachers]
        names = {one.name for one in recipes}
        for made in (one.base.recipe for one in recipes if one.base.recipe is not None):
            if made.name in names or made not in self.encoders:
                raise ValueError(
                    f"base.recipe: another recipe is also called {made.name!r}; rename one of them"
                )
        return self

    @model_validator(mode="after")
    def _has_texts_to_transfer(self) -> Self:
        if self.distillation is not None and self.distillation.transfer and not self.data.unlabelled:
            raise ValueError("distillation.transfer: uses texts of data.unlabelled; add a source there")
        return self

    @model_validator(mode="after")
    def _starts_from_its_own_base(self) -> Self:
        if self.distillation is None or self.distillation.initialize_from == "base":
            return self
        if self.base.embedding_rank is not None:
            raise ValueError(
                "distillation.initialize_from: got teacher with base.embedding_rank, which makes an ELECTRA "
                "with a different head; set the rank in the teacher's recipe, or initialize from the base"
            )
        first = self.teachers[0]
        for key in ("hub", "revision", "sha256", "licence", "recipe", "text_to_text"):
            if getattr(first.base, key) != getattr(self.base, key):
                raise ValueError(
                    f"distillation.initialize_from: {first.name} comes from another base ({key}) than "
                    f"{self.name}; use the same base, or initialize from the base"
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
    def has_written_answers(self) -> bool:
        """Whether it learns from what teachers answered before, so that these need not be there."""
        return self.distillation is not None and self.distillation.answers is not None

    @property
    def built_teachers(self) -> list[Recipe]:
        """The teachers whose releases it needs: none where their answers are written."""
        return [] if self.has_written_answers else self.teachers

    @property
    def encoders(self) -> list[Pretraining]:
        """The pretrainings that it and the teachers built for it start from, each once; mostly none."""
        found = (one.base.recipe for one in (self, *self.built_teachers))
        return list({one.name: one for one in found if one is not None}.values())

    @property
    def origins(self) -> list[Origin]:
        """Where the texts come from that it learns: its own, its encoder's, those of teachers alone."""
        taught = (origin for teacher in self.teachers for origin in teacher.origins)
        own = [*self.data.origins, *(self.base.recipe.origins if self.base.recipe else [])]
        return [*own, *{one.name: one for one in taught if one not in own}.values()]

    @property
    def training_seed(self) -> int:
        """The seed of head, order and dropout; `seed` itself decides the splits."""
        return self.seed if self.training.seed is None else self.training.seed

    def with_seed(self, seed: int) -> Recipe:
        """Return this recipe with another training seed, and a name that says so."""
        training = self.training.model_copy(update={"seed": seed})
        return self.model_copy(update={"name": f"{self.name}-seed-{seed}", "training": training})

    def fingerprint(self) -> str:
        """Return the sha256 of all that the recipe says, whatever the layout of its file.

        A key that is added later must be left out of the dump where it has its default (`exclude_if`), or
        recipes that do not use it get another fingerprint.
        """
        return hashlib.sha256(to_json(with_first_names(self.model_dump(mode="json")))).hexdigest()

    def making_fingerprint(self) -> str:
        """Return the sha256 of what decides the weights: not what the card shows, nor keys left alone."""
        shown = {"data": {"sources": {"__all__": {"show_texts"}}}}
        told = self.model_dump(mode="json", include=MAKING, exclude=shown, exclude_defaults=True)
        told |= {"training_seed": self.training_seed}
        if self.distillation is not None:
            if self.distillation.answers is not None:
                told["distillation"]["answers"] = True  # wherever they lie
            told["distillation"] |= {"teachers": [one.making_fingerprint() for one in self.teachers]}
        return hashlib.sha256(json.dumps(with_first_names(told), sort_keys=True).encode()).hexdigest()
