"""Adapters: small weights beside the linear layers of an encoder learn, and the encoder stays as it is.

LoRA (https://arxiv.org/abs/2106.09685) adds the product of two low-rank matrices to what a layer gives, QLoRA
(https://arxiv.org/abs/2305.14314) does so beside layers held in 4 bits, and IA3
(https://arxiv.org/abs/2205.05638) multiplies by a factor a value. All of it is linear, so `merge` puts it
into plain weights, and a release is like one that was fitted whole. The peft library does the work.

peft is put into the model, not around it: the Trainer saves and resumes what it knows, a plain model of
transformers, of which a checkpoint holds what learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from finsent.encoder.load import FRESH
from finsent.errors import BaseModelError
from finsent.recipe.adapter import Adapter

NAME = "default"  # peft's for the only adapter of a model
FOUR_BIT = "qlora"


@dataclass(frozen=True)
class AttachedAdapter:
    """What peft has put into a model; `kind` is the recipe's."""

    model: PreTrainedModel
    tuner: Any
    kind: str

    def merge(self) -> None:
        """Put plain linear layers back that give the same; of peft nothing stays in the model."""
        if self.kind == FOUR_BIT:
            self._merge_into_dequantised()
        else:
            self.tuner.merge_and_unload()
        del self.model._keys_to_ignore_on_save

    def _merge_into_dequantised(self) -> None:
        """Add what was learnt to the weights that it was learnt beside, not to those before the 4 bits."""
        from finsent.training.four_bit import dequantize_layers

        layers = {name: module for name, module in self.model.named_modules() if hasattr(module, "lora_A")}
        learnt = {name: module.get_delta_weight(NAME) for name, module in layers.items()}
        self.tuner.unload()
        dequantize_layers(self.model)
        for name, delta in learnt.items():
            linear: Any = self.model.get_submodule(name)
            linear.weight.data += delta.detach()


def attach_adapter(model: PreTrainedModel, wish: Adapter, base: str) -> AttachedAdapter:
    """Let the adapter and the head learn, and nothing else of `model`; `base` is its name for errors.

    The head is what lies above the encoder, with a pooler, which checkpoints often lack. Raises
    BaseModelError where the encoder lacks a layer that the recipe names, or one is too small for the rank.
    """
    targets = choose_layers(model, wish, base)
    head = [weights for weights in _head(model) if weights.requires_grad]
    if wish.kind == FOUR_BIT:
        from finsent.training.four_bit import quantize_layers

        quantize_layers(model, dict(encoder_layers(model)), base)
    model.requires_grad_(False)
    tuner = _put_in(model, wish, targets)
    for weights in head:
        weights.requires_grad_(True)
    learns = {name for name, weights in model.named_parameters() if weights.requires_grad}
    model._keys_to_ignore_on_save = [name for name in model.state_dict() if name not in learns]
    return AttachedAdapter(model, tuner, wish.kind)


def encoder_layers(model: PreTrainedModel) -> Iterator[tuple[str, nn.Linear]]:
    """Yield path and module of every linear layer of the encoder, a pooler left out."""
    prefix = f"{model.base_model_prefix}."
    for name, module in model.named_modules():
        if type(module) is nn.Linear and name.startswith(prefix) and not _is_fresh(model, name):
            yield name, module


def choose_layers(model: PreTrainedModel, wish: Adapter, base: str) -> dict[str, nn.Linear]:
    """Return the layers that an adapter goes to, by path; errors as of attach_adapter."""
    layers = dict(encoder_layers(model))
    for target in wish.targets:
        if not any(_ends_with(name, target) for name in layers):
            ends = ", ".join(sorted({name.rpartition(".")[2] for name in layers}))
            raise BaseModelError(
                f"adapter.targets: {base} has no linear layer {target!r}; its layers end in {ends}; more "
                "of a path may be written before that"
            )
    named = {
        name: layer
        for name, layer in layers.items()
        if not wish.targets or any(_ends_with(name, target) for target in wish.targets)
    }
    if wish.kind != "ia3":
        _check_rank(named, wish.effective_rank)
    return named


def _check_rank(layers: dict[str, nn.Linear], rank: int) -> None:
    sizes = {name: min(layer.in_features, layer.out_features) for name, layer in layers.items()}
    smallest = min(sizes, key=lambda name: sizes[name])
    if rank > sizes[smallest]:
        layer = layers[smallest]
        raise BaseModelError(
            f"adapter.rank: got {rank}, but {smallest} is {layer.out_features} by {layer.in_features}, so "
            f"at most {sizes[smallest]} is allowed; with adapter.targets such a layer can be left out"
        )


def _put_in(model: PreTrainedModel, wish: Adapter, targets: dict[str, nn.Linear]) -> Any:  # noqa: ANN401
    """Return peft's tuner, which has changed the model."""
    from peft import IA3Config, IA3Model, LoraConfig, LoraModel  # optional: see check_packages

    if wish.kind == "ia3":
        taking = [name for name, layer in targets.items() if layer.in_features > layer.out_features]
        return IA3Model(model, IA3Config(target_modules=list(targets), feedforward_modules=taking), NAME)
    config = LoraConfig(
        r=wish.effective_rank,
        lora_alpha=wish.effective_alpha,
        lora_dropout=wish.dropout or 0.0,
        target_modules=list(targets),
    )
    model.is_loaded_in_4bit = wish.kind == FOUR_BIT  # how peft is told; transformers would count on more
    tuner = LoraModel(model, config, NAME)
    del model.is_loaded_in_4bit
    return tuner


def _head(model: PreTrainedModel) -> Iterator[nn.Parameter]:
    """Yield the weights above the encoder, and those of a pooler."""
    prefix = f"{model.base_model_prefix}."
    for name, weights in model.named_parameters():
        if not name.startswith(prefix) or _is_fresh(model, name):
            yield weights


def _is_fresh(model: PreTrainedModel, name: str) -> bool:
    return f"{name}.".removeprefix(f"{model.base_model_prefix}.").startswith(FRESH)


def _ends_with(name: str, target: str) -> bool:
    return f".{name}".endswith(f".{target}")
