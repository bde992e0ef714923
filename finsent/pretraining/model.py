"""The model that is pretrained: weights to go on from, with a head for words, or a shape with random ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from finsent.encoder.find import find_weights
from finsent.encoder.load import FRESH, check_architecture
from finsent.encoder.positions import count_positions
from finsent.errors import BaseModelError, first_line
from finsent.pretraining.tokens import Reader
from finsent.recipe.pretraining import Pretraining, Shape

SETTINGS: dict[str, Any] = {"dtype": torch.float32, "trust_remote_code": False}


@dataclass(frozen=True)
class Model:
    """A model and whether its head is new; `kept` are weights of the base without a part in pretraining."""

    model: PreTrainedModel
    new_head: bool
    kept: dict[str, torch.Tensor]

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(one.numel() for one in self.model.parameters())

    def body(self) -> torch.nn.Module:
        """Return what stays when the head goes."""
        found: torch.nn.Module = self.model.base_model
        return found

    def head(self) -> torch.nn.Module:
        """Return the first part of the head, which reads hidden states of the body."""
        parts = list(self.model.children())
        found: torch.nn.Module = parts[parts.index(self.model.base_model) + 1]
        return found


def prepare_model(recipe: Pretraining, reader: Reader, mirror: Path | None) -> Model:
    """Load or make the model of a recipe; random weights and new heads are drawn by its seed.

    Raises BaseModelError: the base cannot be had, or is no model for the recipe's objective.
    """
    torch.manual_seed(recipe.seed)
    if recipe.base is None:
        assert recipe.model is not None  # the recipe's validator holds this
        model = Model(make_model(recipe.model, recipe.objective, reader), new_head=False, kept={})
    else:
        folder = find_weights(recipe.base, recipe.home, mirror)
        load = _load_encoder if recipe.objective == "mlm" else _load_t5
        model = load(folder, recipe.base.hub)
    set_dropout(model.model, recipe.training.dropout)
    if recipe.objective == "mlm":  # T5 counts distances, which have no end
        check_length(model.model, recipe.training.length)
    return model


def make_model(shape: Shape, objective: str, reader: Reader) -> PreTrainedModel:
    """Return a model of a shape with random weights."""
    if objective == "mlm":
        config = BertConfig(
            vocab_size=reader.size,
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=shape.positions,
            pad_token_id=reader.id_of("pad_token"),
        )
        return BertForMaskedLM(config)
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=reader.size,
            d_model=shape.hidden_size,
            d_kv=shape.hidden_size // shape.heads,
            d_ff=shape.intermediate_size,
            num_layers=shape.layers,
            num_decoder_layers=shape.decoder_layers or shape.layers,
            num_heads=shape.heads,
            pad_token_id=reader.id_of("pad_token"),
            eos_token_id=reader.id_of("eos_token"),
            decoder_start_token_id=reader.id_of("pad_token"),
        )
    )


def _load_encoder(folder: Path, name: str) -> Model:
    check_architecture(folder, name)
    model, loaded = _load(AutoModelForMaskedLM, folder, name)
    prefix = f"{model.base_model_prefix}."
    lost = [key for key in loaded["missing_keys"] if key.startswith(prefix)]
    if lost or loaded["mismatched_keys"]:
        told = (lost or [str(loaded["mismatched_keys"][0])])[0]
        raise BaseModelError(f"base: the weights of {name} are not those of its config.json, see {told}")
    return Model(model, bool(loaded["missing_keys"]), _find_pooler(folder, name, prefix))


def _find_pooler(folder: Path, name: str, prefix: str) -> dict[str, torch.Tensor]:
    """Return the pooler of a base, which masked language models lack and classifiers read."""
    model, loaded = _load(AutoModel, folder, name)
    weights = {key: value for key, value in model.state_dict().items() if key.startswith(FRESH)}
    return {f"{prefix}{key}": value for key, value in weights.items() if key not in loaded["missing_keys"]}


def _load_t5(folder: Path, name: str) -> Model:
    kind = AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
    if kind != "t5":
        raise BaseModelError(f"objective: got 'span', but {name} is of type {kind!r}; span is for T5")
    model, loaded = _load(T5ForConditionalGeneration, folder, name)
    if loaded["missing_keys"] or loaded["mismatched_keys"]:
        raise BaseModelError(f"base: the weights of {name} are not those of its config.json")
    return Model(model, new_head=False, kept={})


def _load(kind: Any, folder: Path, name: str) -> tuple[PreTrainedModel, dict[str, Any]]:  # noqa: ANN401
    """Load weights as one of transformers' classes."""
    try:
        model, loaded = kind.from_pretrained(folder, output_loading_info=True, **SETTINGS)
    except Exception as error:  # safetensors, pickle and transformers raise many types for a broken file
        raise BaseModelError(f"base: {name} cannot be loaded: {first_line(error)[:200]}") from error
    return model, loaded


def set_dropout(model: torch.nn.Module, rate: float) -> None:
    """Set every rate of dropout, those that attention keeps as a number too; the config stays as it is."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
        for name in ("dropout", "dropout_prob", "attention_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, rate)


def check_length(model: PreTrainedModel, length: int) -> None:
    """Raise BaseModelError where sequences are longer than an encoder has positions."""
    if length > (most := count_positions(model)):
        raise BaseModelError(f"training.length: got {length}, but the encoder reads at most {most} tokens")
