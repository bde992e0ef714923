"""Sections on training: how the weights are fitted, and what that is estimated to cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from finsent.recipe.section import Section, Seed, Share


class Training(Section):
    """How the model is trained."""

    seed: Seed | None = Field(None, description="seed of head, order and dropout; default: the recipe's")
    epochs: float = Field(4, gt=0, le=100, description="passes over the training rows")
    batch_size: int = Field(32, ge=1, description="rows per step")
    learning_rate: float = Field(6e-5, gt=0, lt=1, description="highest learning rate")
    optimizer: Literal["adamw", "adafactor"] = Field(
        "adamw",
        exclude_if=lambda name: name == "adamw",  # what recipes were fitted with before there was a choice
        description="adafactor scales its steps by the size of the weights; a T5 of your own needs this",
    )
    warmup: Share = Field(
        0.1, description="share of the steps in which the learning rate rises; then it falls to 0"
    )
    weight_decay: float = Field(0.01, ge=0, description="of all weights except biases and norms")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the probability spread over all labels"
    )
    pair_margin: float = Field(
        0.0,
        ge=0,
        exclude_if=lambda margin: not margin,  # recipes from before it keep their fingerprint
        description="margin, as a difference of log-probabilities, by which a row's label must be likelier "
        "in it than in a row of its group with another label; the two come in one batch",
    )
    class_weights: Literal["none", "balanced", "root"] = Field(
        "none", description="root: square root of balanced"
    )
    dropout: Share | None = Field(
        None, description="dropout of hidden states and attention in training; default: the encoder's own"
    )
    freeze_embeddings: bool = Field(
        False, description="keep the word embeddings fixed: faster and as accurate"
    )
    max_tokens: int = Field(128, ge=8, description="longer rows are cut, in training only")
    evaluations: int = Field(4, ge=1, description="validations over the whole run; the best one is kept")
    patience: int = Field(3, ge=1, description="validations without a better macro F1 before stopping")
    bf16: Literal["auto", "on", "off"] = Field(
        "auto", description="compute in bf16 autocast; auto: if the machine has instructions for it"
    )


class Energy(Section):
    """Figures for an estimate: a stated power draw times measured seconds."""

    watts: float = Field(gt=0, description="assumed power draw of the machine while training")
    grams_per_kwh: float = Field(gt=0, description="assumed grid intensity, g CO2 equivalent per kWh")
