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

    name: str = Field(description="of that recipe")
    seed: Seed = Field(description="of that recipe")
    labels: list[str] = Field(description="of that recipe")
    data: Data = Field(description="of that recipe")


class Protection(Section):
    """Rows that figures will be made of: no text that is pretrained on may be near to them."""

    recipes: list[LabelledRows] = Field(
        min_length=1, description="files of the recipes that will start from the encoder"
    )
    rows: Literal["held_out", "all"] = Field(
        "held_out",
        description="held_out: their validation and test rows; all: every labelled row, so that one encoder "
        "serves all folds of a cross-validation",
    )
    words: int = Field(
        8, ge=4, le=50, description="a sentence that has as many words in a row from such a row is near to it"
    )


class PretrainingData(Section):
    """Texts without labels, and what of them is not learnt."""

    sources: list[TextSource] = Field(min_length=1, description="where the texts come from")
    near_duplicates: float = Field(
        0.7,
        gt=0,
        le=1,
        description="char-5-gram Jaccard from which two texts, or a sentence and a row, are near",
    )
    protect: Protection | None = Field(None, description="rows that must not be learnt; else none")
    held_out: float = Field(
        0.01, gt=0, lt=1, description="share of the texts that is not learnt, but used to measure the loss"
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

    hidden_size: int = Field(256, ge=8, description="numbers a token")
    layers: int = Field(4, ge=1, description="of the encoder")
    decoder_layers: int | None = Field(None, ge=1, description="for span; else as many as layers")
    heads: int = Field(4, ge=1, description="of the attention; hidden_size is shared out among them")
    intermediate_size: int = Field(1024, ge=8, description="neurons of every feed-forward layer")
    positions: int = Field(512, ge=32, description="for mlm: tokens that a text may have at most")

    @model_validator(mode="after")
    def _shares_out(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size must be a multiple of heads, got {self.hidden_size} and {self.heads}"
            )
        return self


class Vocabulary(Section):
    """A tokenizer that is trained on the texts."""

    kind: Literal["unigram", "wordpiece"] = Field(description="of the pieces")
    pieces: int = Field(8000, ge=100, description="how many at most, special ones apart")
    words: list[Word] = Field([], description="words that get a piece of their own, such as labels")
    characters: int = Field(
        20_000_000, ge=1000, description="of the texts to learn from, drawn by the recipe's seed"
    )


class PretrainingSteps(Section):
    """How the weights are fitted."""

    epochs: float = Field(1, gt=0, le=1000, description="passes over the texts")
    tokens: int | None = Field(None, ge=1, description="to learn from at most, whatever epochs says")
    length: int = Field(128, ge=16, le=4096, description="tokens of a sequence, special ones included")
    batch_size: int = Field(32, ge=1, description="sequences a step")
    optimizer: Literal["adamw", "adafactor"] = Field(
        "adamw", description="adafactor scales its rate by the size of the weights, which a new T5 needs"
    )
    learning_rate: float = Field(3e-4, gt=0, lt=1, description="at its highest")
    warmup: Share = Field(0.06, description="share of the steps in which the rate rises; then it falls to 0")
    weight_decay: float = Field(0.01, ge=0, description="of weights that are no bias and no norm")
    noise: float = Field(0.15, gt=0, lt=0.9, description="share of the tokens that have to be told")
    mean_span: float = Field(3.0, ge=1, description="for span: tokens of a gap, in the mean")
    head_warmup: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="for mlm: share of the steps that fit a new head alone, where the base brings none",
    )
    dropout: Share = Field(0.1, description="of hidden states and attention while pretraining")
    evaluations: int = Field(
        10, ge=1, description="measurements of the held-out loss, each with a checkpoint"
    )
    bf16: Literal["auto", "on", "off"] = Field(
        "auto", description="compute in bf16 autocast; auto: where the machine has instructions for it"
    )


class Pretraining(Placed):
    """One encoder. `pretrain.py` makes it, and recipes of classifiers start from it by `base.recipe`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="also the folder below runs/")
    seed: Seed = Field(description="of weights, order, gaps and whatever else is drawn")
    objective: Objective = Field(
        description="mlm: tell masked words, for encoders like BERT; span: tell gaps, for T5"
    )
    licence: str = Field(
        description="Hub licence id of the encoder; refused where a text or the base forbids it"
    )
    hub: HubId | None = Field(
        None, description="what cards call the encoder, published or not; else the id of its base"
    )
    data: PretrainingData = Field(description="the texts")
    text: Text = Field(Text(), description="the rules that clean a text; its bound is not applied")
    base: Weights | None = Field(None, description="weights to go on from, with their tokenizer; or")
    model: Shape | None = Field(None, description="a model with random weights")
    tokenizer: Vocabulary | None = Field(None, description="trained for `model`; that of `base` is kept")
    training: PretrainingSteps = Field(PretrainingSteps(), description="how the weights are fitted")

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        if (self.base is None) == (self.model is None):
            raise ValueError("give exactly one of base, to go on from weights, and model, to start from none")
        if (self.model is None) != (self.tokenizer is None):
            raise ValueError("tokenizer: goes with model, whose pieces it makes; base keeps its own")
        if self.base is None and self.hub is None:
            raise ValueError("hub: say what cards shall call an encoder without a base, as owner/name")
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
        """Return the sha256 of all that decides the encoder, wherever files lie."""
        paths: Any = {"sources": {"__all__": {"path"}}}
        rows = {"recipes": {"__all__": {"data": paths}}}
        left_out: Any = {"name": True, "hub": True, "data": paths | {"protect": rows}, "base": {"path"}}
        told = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
