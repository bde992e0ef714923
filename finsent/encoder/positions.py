"""Positions: how long a text may be, and giving an encoder fewer or more of them than it has."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from finsent.encoder.families import find_family
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe

SPARE = 12  # special tokens, and room for what a runtime may add
BUFFERS = ("position_ids", "token_type_ids")  # beside the table, one entry a position


def count_positions(model: PreTrainedModel) -> int:
    """Return how many tokens a text may have."""
    return int(model.config.max_position_embeddings) - _reserved(model)


def check_bound(model: PreTrainedModel, recipe: Recipe, tokens_a_character: int) -> None:
    """Raise BaseModelError if a text of the recipe's greatest length could need more positions."""
    have = count_positions(model)
    most, characters = (have - SPARE) // tokens_a_character, recipe.text.max_characters
    if characters <= most:
        return
    each = "" if tokens_a_character == 1 else f", and a character can be {tokens_a_character} tokens"
    raise BaseModelError(
        f"text.max_characters: got {characters}, allowed are at most {most}: {recipe.base.hub} has {have} "
        f"positions{each}; for longer texts write base.positions: {characters * tokens_a_character + SPARE}"
    )


def resize_positions(model: PreTrainedModel, positions: int) -> None:
    """Let texts have this many tokens; BaseModelError if the family's positions are not understood.

    More positions than were learnt repeat those from the beginning, as Longformer's did
    (https://arxiv.org/abs/2004.05150). Texts that are no longer than before are answered as before.
    """
    family = find_family(model)
    embeddings: Any = getattr(model.base_model, "embeddings", None)
    has_table = family.positions is not None and _find_table(model, family.positions) is not None
    if not has_table and not family.relative:
        raise BaseModelError(
            f"base.positions: got {positions}, this encoder has no position table; leave the key out"
        )
    if has_table:
        _resize_table(model, str(family.positions), positions)
    elif getattr(model.config, "max_relative_positions", 0) == -1:  # means: as many as there are positions
        model.config.max_relative_positions = model.config.max_position_embeddings
    for name in BUFFERS:
        if isinstance(buffer := getattr(embeddings, name, None), Tensor):
            setattr(embeddings, name, _resize_buffer(buffer, name, positions + _reserved(model)))
    model.config.max_position_embeddings = positions + _reserved(model)


def _reserved(model: PreTrainedModel) -> int:
    """Return how many rows of the position table stand before that of the first token."""
    return int(model.config.pad_token_id) + 1 if find_family(model).after_padding else 0


def _find_table(model: PreTrainedModel, path: str) -> Any:  # noqa: ANN401  (an embedding, or None)
    """Return the position table; None where the config of a family that may have one left it out."""
    owner, _, name = path.rpartition(".")
    return getattr(model.base_model.get_submodule(owner), name)


def _resize_table(model: PreTrainedModel, path: str, positions: int) -> None:
    table, reserved = _find_table(model, path), _reserved(model)
    learnt = table.num_embeddings - reserved
    rows = torch.cat([torch.arange(reserved), reserved + torch.arange(positions) % learnt])
    resized = nn.Embedding(len(rows), table.embedding_dim, padding_idx=table.padding_idx)
    resized.weight = nn.Parameter(table.weight.data[rows].clone())
    model.base_model.set_submodule(path, resized)


def _resize_buffer(buffer: Tensor, name: str, positions: int) -> Tensor:
    if name == "position_ids":
        return torch.arange(positions, dtype=buffer.dtype).expand((1, -1))
    return torch.zeros((1, positions), dtype=buffer.dtype)
