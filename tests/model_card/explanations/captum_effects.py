"""Print captum's integrated gradients of pieces, read as JSON: model, layer, ids, added, label and steps."""

from __future__ import annotations

import json
import sys

import torch
from captum.attr import LayerIntegratedGradients
from transformers import AutoModelForSequenceClassification

asked = json.load(sys.stdin)
model = AutoModelForSequenceClassification.from_pretrained(asked["model"]).eval()
ids = torch.tensor([asked["ids"]])
added = torch.tensor([asked["added"]])


def chance(found: torch.Tensor) -> torch.Tensor:
    """Return the probability of the label for pieces `(k, n)`."""
    return model(input_ids=found, attention_mask=torch.ones_like(found)).logits.softmax(-1)[:, asked["label"]]


effects = LayerIntegratedGradients(chance, model.get_input_embeddings()).attribute(
    ids,
    baselines=torch.where(added, ids, model.config.pad_token_id),
    n_steps=asked["steps"],
    method="gausslegendre",
)
print(json.dumps(effects[0].sum(dim=-1).tolist()))
