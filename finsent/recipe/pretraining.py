"""A recipe of a pretraining: what decides an encoder of one's own, in frozen sections by stage."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from finsent.recipe.data import Data, Origin, TextSource
from finsent.recipe.section import HubId, Placed, Section, Seed, Share
from finsent.recipe.text import Text
from finsent.recipe.weights import Weights

Objective = Literal["mlm", "span"]
Word = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]


class LabelledRows(Placed):
    """What of a classifier's recipe decides its rows and their splits."""

    name: str = Field(description="name of that recipe")
    seed: Seed = Field(description="seed of that recipe")
    labels: list[str] = Field(description="labels of that recipe")
    data: Data = Field(description="data of that recipe")


class Protection(Section):
    """Rows that will be used to measure models. Pretraining removes sentences that are too close to them."""

    recipes: list[LabelledRows] = Field(
        min_length=1, description="files of the recipes that will start from the encoder"
    )
    rows: Literal["held_out", "all"] = Field(
        "held_out",
        description="held_out: their validation and test rows; all: every labelled row, so that one encoder "
        "serves all folds of a cross-validation",
    )
    words: int = Field(
        8,
        ge=4,
        le=50,
        description="a sentence is too close to a row if it repeats this many consecutive words of it",
    )


class PretrainingData(Section):
    """Texts without labels, and which parts of them are not used for training."""

    sources: list[TextSource] = Field(min_length=1, description="where the texts come from")
    near_duplicates: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Jaccard similarity of character 5-grams from which two texts, or a sentence and a "
        "protected row, count as nearly the same",
    )
    protect: Protection | None = Field(None, description="rows that must not be learnt; default: none")
    held_out: float = Field(
        0.01, gt=0, lt=1, description="share of the texts that is used only to measure the loss"
    )

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, sources: list[TextSource]) -> list[TextSource]:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ, got {names}")
        return sources


class Shape(Section):
    """A model that starts from random weights: a BERT for mlm, a T5 for span."""

    hidden_size: int = Field(256, ge=8, description="size of the vector of a token")
    layers: int = Field(4, ge=1, description="layers of the encoder")
    decoder_layers: int | None = Field(
        None, ge=1, description="for span: layers of the decoder; default: layers"
    )
    heads: int = Field(4, ge=1, description="attention heads; hidden_size is divided among them")
    intermediate_size: int = Field(1024, ge=8, description="neurons in every feed-forward layer")
    positions: int = Field(512, ge=32, description="for mlm: most tokens in a text")

    @model_validator(mode="after")
    def _shares_out(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size must be a multiple of heads, got {self.hidden_size} and {self.heads}"
            )
        return self


class Vocabulary(Section):
    """A tokenizer that is trained on the texts."""

    kind: Literal["unigram", "wordpiece"] = Field(description="kind of tokenizer")
    pieces: int = Field(8000, ge=100, description="most pieces, not counting special ones")
    words: list[Word] = Field([], description="words that get a piece of their own, such as labels")
    characters: int = Field(
        20_000_000,
        ge=1000,
        description="most characters of the texts to learn from, drawn with the recipe's seed",
    )


class PretrainingSteps(Section):
    """How the weights are fitted."""

    epochs: float = Field(1, gt=0, le=1000, description="passes over the texts")
    tokens: int | None = Field(None, ge=1, description="most tokens to learn from, whatever epochs says")
    length: int = Field(128, ge=16, le=4096, description="tokens in a sequence, including special ones")
    batch_size: int = Field(32, ge=1, description="sequences per step")
    optimizer: Literal["adamw", "adafactor"] = Field(
        "adamw", description="adafactor scales its rate by the size of the weights; a new T5 needs this"
    )
    learning_rate: float = Field(3e-4, gt=0, lt=1, description="highest learning rate")
    warmup: Share = Field(0.06, description="share of the steps in which the rate rises; then it falls to 0")
    weight_decay: float = Field(0.01, ge=0, description="of all weights except biases and norms")
    noise: float = Field(0.15, gt=0, lt=0.9, description="share of the tokens to predict")
    mean_span: float = Field(3.0, ge=1, description="for span: mean number of tokens in a gap")
    head_warmup: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="for mlm: share of the steps that train only a new head, if the base has none",
    )
    dropout: Share = Field(0.1, description="dropout of hidden states and attention in pretraining")
    evaluations: int = Field(
        10, ge=1, description="measurements of the held-out loss, each with a checkpoint"
    )
    bf16: Literal["auto", "on", "off"] = Field(
        "auto", description="compute in bf16 autocast; auto: if the machine has instructions for it"
    )


class Pretraining(Placed):
    """One encoder. `pretrain.py` makes it, and recipes of classifiers start from it by `base.recipe`."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", description="name of the recipe and of its folder in runs/"
    )
    seed: Seed = Field(description="seed of weights, order, gaps and everything else that is drawn")
    objective: Objective = Field(
        description="mlm: predict masked words, for encoders like BERT; span: predict gaps, for T5"
    )
    licence: str = Field(
        description="Hub licence id of the encoder; refused if a text or the base forbids it"
    )
    hub: HubId | None = Field(
        None, description="name of the encoder in cards, published or not; default: the id of its base"
    )
    data: PretrainingData = Field(description="the texts")
    text: Text = Field(Text(), description="the rules that clean a text; max_characters is not applied")
    base: Weights | None = Field(
        None, description="weights to start from, with their tokenizer; or give model"
    )
    model: Shape | None = Field(None, description="a model with random weights, instead of base")
    tokenizer: Vocabulary | None = Field(None, description="trained for `model`; `base` keeps its own")
    training: PretrainingSteps = Field(PretrainingSteps(), description="how the weights are fitted")

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        if (self.base is None) == (self.model is None):
            raise ValueError("give exactly one of base, to start from weights, and model, for random ones")
        if (self.model is None) != (self.tokenizer is None):
            raise ValueError("tokenizer: give it together with model, and only then; base keeps its own")
        if self.base is None and self.hub is None:
            raise ValueError("hub: an encoder without a base needs a name for cards; write owner/name")
        if self.model and self.objective == "mlm" and self.training.length > self.model.positions:
            raise ValueError(
                f"training.length: got {self.training.length}, but model.positions is "
                f"{self.model.positions}; raise that, or take shorter sequences"
            )
        return self

    @property
    def encoder_hub(self) -> str:
        """What cards call the encoder."""
        return self.hub or (self.base.hub if self.base else "")

    @property
    def encoder_licence(self) -> str:
        """The licence of the encoder."""
        return self.licence

    @property
    def origins(self) -> list[Origin]:
        """Where the texts come from."""
        return list(self.data.sources)

    def fingerprint(self) -> str:
        """Return the sha256 of all that decides the encoder, not of places and titles."""
        called = {"path", "title", "homepage"}
        rows: Any = {"sources": {"__all__": {*called, "licence", "show_texts"}}, "unlabelled": True}
        protect: Any = {"recipes": {"__all__": {"name": True, "data": rows}}}
        texts: Any = {"sources": {"__all__": called}, "protect": protect}
        left_out: Any = {"name": True, "hub": True, "data": texts, "base": {"path"}}
        told = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
