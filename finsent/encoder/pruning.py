"""Pruning an encoder before it is fitted: fewer layers, a smaller intermediate and a smaller hidden size.

What stays is chosen by what the encoder does on the training texts. A pruned encoder forgets much; fitting,
best with a teacher, brings back what can be brought back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from finsent.encoder.families import FAMILIES, Attention, Family, find_family
from finsent.encoder.observation import observe
from finsent.errors import BaseModelError

RIDGE = 1e-3  # of the mean variance of a neuron


@dataclass(frozen=True)
class _Directions:
    """Principal directions `(old, new)` of hidden states; mean and spread of every layer norm along them."""

    basis: Tensor
    centre: dict[str, Tensor]
    spread: dict[str, Tensor]


def keep_layers(model: PreTrainedModel, layers: list[int]) -> None:
    """Keep these layers, in this order; BaseModelError if one is not there."""
    family = find_family(model)
    if family.layers is None:
        raise BaseModelError(
            f"base.layers: cannot select layers of a {type(model).__name__}; leave the key out"
        )
    have: Any = model.base_model.get_submodule(family.layers)
    if max(layers) >= len(have):
        raise BaseModelError(f"base.layers: got {layers}; {len(have)} layers exist, counted from 0")
    model.base_model.set_submodule(family.layers, nn.ModuleList(have[index] for index in layers))
    setattr(model.config, family.layers_key, len(layers))


def prune_intermediate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], size: int
) -> None:
    """Keep the intermediate neurons of every layer whose loss the others can least make up for.

    Those that stay take over what the others gave, as far as it is a linear function of theirs: the optimal
    brain surgeon (Hassibi and Stork 1993) on the least squares of what the layer writes.
    """
    family = find_family(model)
    if family.layers is None or family.intermediate is None or family.output is None:
        raise BaseModelError(
            f"base.intermediate_size: a {type(model).__name__} cannot be pruned; leave the key out"
        )
    have = model.config.intermediate_size
    if size > have:
        raise BaseModelError(f"base.intermediate_size: got {size}, the encoder has {have}")
    layers: Any = model.base_model.get_submodule(family.layers)
    outputs = [_linear(layer, family.output) for layer in layers]
    activity = observe(model, tokenizer, texts, outputs)
    for layer, output, active in zip(layers, outputs, activity, strict=True):
        kept = _take_over(output, active, size)
        _keep_rows(_linear(layer, family.intermediate), kept)
    model.config.intermediate_size = size


def _take_over(linear: nn.Linear, entering: Tensor, size: int) -> Tensor:
    """Cut what a layer reads to `size` columns, fit them to what it wrote, and return which they are."""
    weight, mean = linear.weight.detach().double(), entering.mean(dim=0).double()
    spread = torch.cov(entering.T.double(), correction=0)
    spread += RIDGE * spread.diagonal().mean() * torch.eye(len(spread))
    lost = weight.pow(2).sum(dim=0) / torch.linalg.inv(spread).diagonal()
    kept = lost.topk(size).indices.sort().values
    fitted = torch.linalg.solve(spread[kept][:, kept], spread[kept] @ weight.T).T
    bias = linear.bias.detach() + weight @ mean - fitted @ mean[kept]
    linear.weight, linear.bias = nn.Parameter(fitted.float()), nn.Parameter(bias.float())
    linear.in_features = size
    return kept  # type: ignore[no-any-return]  # topk has no types


def prune_hidden(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], size: int
) -> None:
    """Project the hidden size to `size` along principal components; heads keep their size, so fewer stay.

    Raises BaseModelError if `size` is no multiple of the size of a head or more than there is, or the
    family has other modules around its layers.
    """
    family = find_family(model)
    if family.layers is None or family.attention is None:
        allowed = ", ".join(repr(name) for name, row in FAMILIES.items() if row.attention)
        raise BaseModelError(
            f"base.hidden_size: the encoder is of type {model.config.model_type!r}, allowed: {allowed}; "
            "leave the key out"
        )
    head = model.config.hidden_size // model.config.num_attention_heads
    if size % head or size > model.config.hidden_size:
        raise BaseModelError(
            f"base.hidden_size: got {size}, allowed are multiples of {head} up to {model.config.hidden_size}"
        )
    directions = _principal_directions(_layer_norm_states(model, tokenizer, texts), size)
    layers: Any = model.base_model.get_submodule(family.layers)
    for layer in layers:
        _keep_heads(layer, family.attention, size // head, head)
    for name, module in model.named_modules():
        _project(name, module, directions, family)
    model.config.hidden_size = size
    model.config.num_attention_heads = size // head


def _layer_norm_states(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]
) -> dict[str, Tensor]:
    norms = {name: module for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)}
    seen = observe(model, tokenizer, texts, list(norms.values()), after=True)
    return dict(zip(norms, seen, strict=True))


def _principal_directions(states: dict[str, Tensor], size: int) -> _Directions:
    """Return the directions in which hidden states of all layer norms, each scaled to one, vary most."""
    together = sum(state.T @ state / state.pow(2).sum() for state in states.values())
    assert isinstance(together, Tensor)
    basis = torch.linalg.eigh(together).eigenvectors[:, -size:]
    seen = {name: state @ basis for name, state in states.items()}
    return _Directions(
        basis,
        {name: state.mean(dim=0) for name, state in seen.items()},
        {name: state.std(dim=0) for name, state in seen.items()},
    )


def _keep_heads(layer: nn.Module, parts: Attention, heads: int, size: int) -> None:
    """Keep the heads whose value and output matrices are largest."""
    value, output = _linear(layer, parts.value), _linear(layer, parts.output)
    read = value.weight.detach().view(-1, size, value.in_features).norm(dim=(1, 2))
    write = output.weight.detach().view(output.out_features, -1, size).norm(dim=(0, 2))
    kept = (read * write).topk(heads).indices.sort().values
    rows = (kept[:, None] * size + torch.arange(size)).flatten()
    for path in (parts.query, parts.key, parts.value):
        _keep_rows(_linear(layer, path), rows)
    _keep_columns(output, rows)
    owner: Any = layer.get_submodule(parts.heads)
    owner.num_attention_heads, owner.all_head_size = heads, heads * size


def _project(name: str, module: nn.Module, directions: _Directions, family: Family) -> None:
    """Turn one module to the new directions: what reads or writes hidden states, tables, layer norms."""
    basis = directions.basis
    if isinstance(module, nn.Embedding):
        module.weight = nn.Parameter(module.weight.data @ basis)
        module.embedding_dim = basis.shape[1]
    elif isinstance(module, nn.LayerNorm):
        module.weight = nn.Parameter(directions.spread[name].clone())
        module.bias = nn.Parameter(directions.centre[name].clone())
        module.normalized_shape = (basis.shape[1],)
    elif isinstance(module, nn.Linear):
        weight, bias = module.weight.data, module.bias.data
        if name.endswith(family.readers):
            weight = weight @ basis
        if name.endswith(family.writers):
            weight, bias = basis.T @ weight, bias @ basis
        module.weight, module.bias = nn.Parameter(weight), nn.Parameter(bias)
        module.out_features, module.in_features = module.weight.shape


def _linear(layer: nn.Module, path: str) -> nn.Linear:
    return cast("nn.Linear", layer.get_submodule(path))


def _keep_rows(linear: nn.Linear, kept: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight.data[kept].clone())
    linear.bias = nn.Parameter(linear.bias.data[kept].clone())
    linear.out_features = len(kept)


def _keep_columns(linear: nn.Linear, kept: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight.data[:, kept].clone())
    linear.in_features = len(kept)
