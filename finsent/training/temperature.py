"""Calibration: a temperature for the logits, folded into the weights (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from transformers import PreTrainedModel

from finsent.errors import FinsentError
from finsent.scoring import Floats, Ints


def fit_temperature(logits: Floats, labels: Ints) -> float:
    """Return the temperature that minimises the log loss of logits `(n, n_labels)` against classes `(n,)`.

    Bounded to 0.05..20 so that a perfect score stays finite.
    """

    def log_loss(log_temperature: float) -> float:
        """Return the mean log loss at a temperature."""
        scaled = logits.astype(float) / math.exp(log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
        return float((total - scaled[np.arange(len(labels)), labels]).mean())

    found = minimize_scalar(log_loss, bounds=(math.log(0.05), math.log(20)), method="bounded")
    return float(math.exp(found.x))


def fold_temperature(model: PreTrainedModel, temperature: float) -> None:
    """Divide the last linear layer by the temperature, so that every runtime is calibrated without code."""
    linears = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    head = linears[-1]
    if head.out_features != model.config.num_labels:
        raise FinsentError(
            f"the last layer of {type(model).__name__} is not a linear classifier, so the temperature "
            "cannot be folded into it"
        )
    with torch.no_grad():
        head.weight.div_(temperature)
        head.bias.div_(temperature)
