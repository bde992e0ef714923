"""A smaller table of pieces: `rank` numbers a piece, which one linear layer turns into hidden states.

A BERT has no place for that layer, but an ELECTRA has one if its embedding_size is below its hidden_size. Its
layer norm comes before that layer, on the small vectors, where BERT's is on the whole ones. This need not
matter: a norm subtracts the mean and divides by the length, and orthonormal directions keep lengths. So the
tables are written in coordinates whose mean is always 0, and embeddings that vary in fewer directions than
the rank are kept exactly. Otherwise the directions are principal components of what the norm gives for the
training texts, where a piece counts as often as it occurs, and least squares fit the layer to what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from finsent.encoder.families import FAMILIES, find_family
from finsent.encoder.observation import observe
from finsent.errors import BaseModelError

RIDGE = 1e-3  # of the mean variance of a coordinate
TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")
BERT_ALONE = ("embeddings.", "pooler.")  # what of a BERT's encoder an ELECTRA has in another shape, or not


@dataclass(frozen=True)
class _Factors:
    """`down (hidden, rank)` is for the tables, `up (hidden, rank)` and `bias` for the new layer."""

    down: Tensor
    up: Tensor
    bias: Tensor


def factor_embeddings(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], rank: int, seed: int
) -> ElectraForSequenceClassification:
    """Return an ELECTRA that reads as the BERT `model` does, with tables of `rank` columns and a fresh head.

    Raises BaseModelError: the encoder is no BERT, or its hidden size is not above the rank.
    """
    _check(model, rank)
    norm: Any = model.base_model.get_submodule("embeddings.LayerNorm")
    (states,) = observe(model, tokenizer, texts, [norm])
    factors = _factor(states.double(), norm, rank)
    torch.manual_seed(seed)  # the head is drawn here: ELECTRA's is another than BERT's
    electra = ElectraForSequenceClassification(_config(model, rank))
    kept = {
        name: value
        for name, value in model.base_model.state_dict().items()
        if not name.startswith(BERT_ALONE)
    }
    electra.base_model.load_state_dict(kept | _tables(model, factors) | _norm(factors, rank))
    return electra.eval()


def _check(model: PreTrainedModel, rank: int) -> None:
    if not find_family(model).becomes_electra:
        allowed = ", ".join(repr(name) for name, row in FAMILIES.items() if row.becomes_electra)
        raise BaseModelError(
            f"base.embedding_rank: the encoder is of type {model.config.model_type!r}, allowed: {allowed}; "
            "leave the key out"
        )
    if rank >= (hidden := model.config.hidden_size):
        raise BaseModelError(
            f"base.embedding_rank: got {rank}, allowed are numbers below the hidden size, {hidden}; leave "
            "the key out to keep the whole table"
        )


def _factor(states: Tensor, norm: nn.LayerNorm, rank: int) -> _Factors:
    """Find directions of what enters the norm, `(tokens, hidden)`; fit what follows to what left it."""
    gain, shift = norm.weight.detach().double(), norm.bias.detach().double()
    exact = _normalize(states, norm.eps)
    directions = _directions(exact, rank - 1)
    coordinates, scale = directions @ _without_mean(rank), math.sqrt(rank / norm.normalized_shape[0])
    down, up = coordinates * scale, coordinates / scale
    read = _normalize((states - states.mean(dim=1, keepdim=True)) @ down, norm.eps)
    correction, bias = _regress(read, exact - read @ up.T)
    return _Factors(down, gain[:, None] * (up + correction), gain * bias + shift)


def _normalize(states: Tensor, eps: float) -> Tensor:
    return nn.functional.layer_norm(states, states.shape[-1:], eps=eps)


def _directions(states: Tensor, count: int) -> Tensor:
    """Return orthonormal directions `(hidden, count)`, the principal components of the states."""
    vectors: Tensor = torch.linalg.eigh(states.T @ states).eigenvectors
    return vectors[:, -count:]


def _without_mean(rank: int) -> Tensor:
    """Return an orthonormal basis `(rank - 1, rank)` of all vectors whose mean is 0."""
    first = torch.ones(rank, 1, dtype=torch.double)
    basis: Tensor = torch.linalg.qr(torch.cat([first, torch.eye(rank, dtype=torch.double)[:, 1:]], dim=1)).Q
    return basis[:, 1:].T


def _regress(entering: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and bias of the least squares; both are 0 where nothing is wanted."""
    centred = entering - entering.mean(dim=0)
    spread = centred.T @ centred
    spread += RIDGE * spread.diagonal().mean() * torch.eye(len(spread))
    weights = torch.linalg.solve(spread, centred.T @ wanted).T
    return weights, wanted.mean(dim=0) - weights @ entering.mean(dim=0)


def _tables(model: PreTrainedModel, factors: _Factors) -> dict[str, Tensor]:
    weights = {name: model.base_model.state_dict()[f"embeddings.{name}.weight"].double() for name in TABLES}
    return {
        f"embeddings.{name}.weight": (table - table.mean(dim=1, keepdim=True)) @ factors.down
        for name, table in weights.items()
    }


def _norm(factors: _Factors, rank: int) -> dict[str, Tensor]:
    return {
        "embeddings.LayerNorm.weight": torch.ones(rank),
        "embeddings.LayerNorm.bias": torch.zeros(rank),
        "embeddings_project.weight": factors.up,
        "embeddings_project.bias": factors.bias,
    }


def _config(model: PreTrainedModel, rank: int) -> ElectraConfig:
    told = model.config.to_dict()
    own = {"model_type", "architectures", "transformers_version", "_name_or_path"}
    config = ElectraConfig(
        **{key: value for key, value in told.items() if key not in own}, embedding_size=rank
    )
    config._attn_implementation = "eager"
    config._name_or_path = model.config._name_or_path
    return config
