"""Optimizers beside the trainer's own: Adafactor, whose steps are as large as the weights that they change.

A new T5 has weights of very different sizes, because its attention is not scaled: a step that suits its word
embeddings breaks its queries. AdamW has one step for all of them (Shazeer and Stern 2018, arXiv 1804.04235).
"""

from __future__ import annotations

from typing import cast

import torch
from transformers.optimization import Adafactor


def make_adafactor(
    model: torch.nn.Module, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return it for all weights of `model` that are trained; `learning_rate` is a share of their size."""
    groups = group_weights(model, weight_decay)
    made = Adafactor(groups, lr=learning_rate, scale_parameter=True, relative_step=False, warmup_init=False)
    return cast("torch.optim.Optimizer", made)


def group_weights(model: torch.nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the weights that are trained in two groups, as biases and norms do not decay."""
    weights = [one for one in model.parameters() if one.requires_grad]
    return [
        {"params": [one for one in weights if one.ndim > 1], "weight_decay": weight_decay},
        {"params": [one for one in weights if one.ndim <= 1], "weight_decay": 0.0},
    ]
