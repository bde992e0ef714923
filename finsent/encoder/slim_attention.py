"""Slim attention: a decoder's values made from its keys (https://arxiv.org/abs/2503.05840).

V = X·W_V = K·W_K⁻¹·W_V, so a decoder that writes many words may keep its keys alone: half the cache. That
needs a W_K that can be inverted, hence a square one, and the precision of fp32: what inverting makes large,
rounding keys to bf16 or int8 makes wrong (benchmarks/log.md). A classifier makes one step and keeps nothing,
so a release gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, T5ForSequenceClassification

from finsent.errors import BaseModelError, ReleaseError

MOST = 1e-3  # of a logit, that may change
ROWS, TOKENS = 8, 64  # of random pieces, by which that is seen


class FromKeys(nn.Module):
    """In the place of a projection to values: the projection to keys, and what turns keys into values."""

    def __init__(self, keys: nn.Linear, turn: Tensor) -> None:
        super().__init__()
        self.keys = keys
        self.turn = nn.Parameter(turn.T.contiguous())

    def forward(self, states: Tensor) -> Tensor:
        """Return values `(n, tokens, d)`."""
        return nn.functional.linear(self.keys(states), self.turn)


def check_square(config: PretrainedConfig, name: str) -> None:
    """Raise BaseModelError where keys are smaller or larger than the states they are made of."""
    size = config.num_heads * config.d_kv
    if size != config.d_model:
        raise BaseModelError(
            f"base.slim_attention: {name} has {config.num_heads} heads of {config.d_kv}, together {size}, on "
            f"states of {config.d_model}; W_K is not square and cannot be inverted, so leave the key out"
        )


def decoder_attentions(model: PreTrainedModel) -> Iterator[Any]:
    """Yield the self- and the cross-attention of every layer of a T5's decoder, with a head or without."""
    whole: Any = model.base_model
    for block in whole.decoder.block:
        yield block.layer[0].SelfAttention
        yield block.layer[1].EncDecAttention


def turn_keys(attention: Any) -> Tensor:  # noqa: ANN401  (T5Attention)
    """Return `(d, d)` by which keys are multiplied to give values; solved in double precision."""
    keys, values = (one.weight.detach().double().T for one in (attention.k, attention.v))
    turn: Tensor = torch.linalg.solve(keys, values)
    return turn.float()


def slim_down(model: T5ForSequenceClassification) -> None:
    """Let the decoder make its values from its keys; ReleaseError where logits change by more than MOST."""
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(model.config.vocab_size, (ROWS, TOKENS), generator=random)
    ids[ids == model.config.eos_token_id] = model.config.pad_token_id
    ids[:, 0] = model.config.eos_token_id
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        before = model.eval()(ids, mask).logits
        for attention in decoder_attentions(model):
            attention.v = FromKeys(attention.k, turn_keys(attention))
        difference = float((model(ids, mask).logits - before).abs().max())
    if not difference <= MOST:
        raise ReleaseError(
            f"base.slim_attention: logits change by {difference:.2g}, allowed are at most {MOST:g}: a W_K "
            "of this decoder can hardly be inverted; leave the key out"
        )
