"""The position table: how long a text may be, and keeping fewer positions than the encoder has."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from finsent.encoder.families import find_family
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe

SPARE = 12  # special tokens, and room for what a runtime may add
BUFFERS = ("position_ids", "token_type_ids")  # beside the table, one entry a position


def check_bound(model: PreTrainedModel, recipe: Recipe) -> None:
    """Raise BaseModelError when a text of the recipe's greatest length could need more positions."""
    most = model.config.max_position_embeddings - SPARE
    if recipe.text.max_characters > most:
        raise BaseModelError(
            f"text.max_characters: got {recipe.text.max_characters}, allowed are at most {most}: "
            f"{recipe.base.hub} has {most + SPARE} positions"
        )


def keep_positions(model: PreTrainedModel, positions: int) -> None:
    """Keep the first rows of the position table; BaseModelError when there are fewer."""
    path = find_family(model).positions
    if path is None:
        raise BaseModelError(f"base.positions: got {positions}, the encoder has no table of them")
    table: Any = model.base_model.get_submodule(path)
    if table.num_embeddings < positions:
        raise BaseModelError(f"base.positions: got {positions}, the encoder has {table.num_embeddings}")
    kept = nn.Embedding(positions, table.embedding_dim)
    kept.weight = nn.Parameter(table.weight.data[:positions].clone())
    model.base_model.set_submodule(path, kept)
    owner = model.base_model.get_submodule(path.rpartition(".")[0])
    for name in BUFFERS:
        if isinstance(getattr(owner, name, None), Tensor):
            setattr(owner, name, getattr(owner, name)[:, :positions].clone())
    model.config.max_position_embeddings = positions
