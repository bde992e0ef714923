"""The loss: cross-entropy with a probability for every label, weighted by class where the recipe says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

from finsent.data.splits import Splits
from finsent.recipe.recipe import Recipe


def make_loss(weights: torch.Tensor | None, smoothing: float) -> Callable[..., torch.Tensor]:
    """Return the loss function that the Trainer calls; `weights` are `(n_labels,)`."""

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:  # noqa: ANN401
        """Return the cross-entropy of logits and labels, both `(n, n_labels)`.

        It is the mean over a batch of `num_items_in_batch` probabilities, of which these may be a part.
        """
        mean = torch.nn.functional.cross_entropy(
            outputs["logits"].float(),
            labels,
            weight=None if weights is None else weights.to(labels.device),
            label_smoothing=smoothing,
        )
        return mean if num_items_in_batch is None else mean * (labels.numel() / num_items_in_batch)

    return loss


def class_weights(splits: Splits, recipe: Recipe) -> torch.Tensor | None:
    """Return a loss weight a class `(n_labels,)`, mean 1 over rows; None when the recipe wants none."""
    wish = recipe.training.class_weights
    if wish == "none":
        return None
    counts = Counter(row.label for row in splits.train)
    share = torch.tensor([counts[label] / len(splits.train) for label in recipe.labels])
    weights = (1 / share) ** (0.5 if wish == "root" else 1.0)
    return weights / (weights * share).sum()
