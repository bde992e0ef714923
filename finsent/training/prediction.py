"""What a PyTorch classifier answers: teachers in training, and a release when it is measured."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerFast


def predict_logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    batch_size: int,
    bf16: bool = False,
    bar: bool = False,
) -> NDArray[np.float32]:
    """Return logits `(n, n_labels)` in the order of `texts`, on the device that the model is on.

    Texts of like length share a batch, so little is padded. `bar` shows the progress on a terminal.
    """
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    hidden = not (bar and sys.stderr.isatty())
    for start in tqdm(
        range(0, len(order), batch_size), unit="batch", file=sys.stderr, disable=hidden, leave=False
    ):
        chosen = order[start : start + batch_size]
        batch = tokenizer([texts[index] for index in chosen], padding=True, return_tensors="pt")
        with torch.inference_mode(), torch.autocast(model.device.type, torch.bfloat16, enabled=bf16):
            logits[chosen] = model(**batch.to(model.device)).logits.float().cpu().numpy()
    return logits
