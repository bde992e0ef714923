"""What the parts of an encoder see while it reads training texts: the statistics that cuts are made by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

TEXTS = 1024  # at least, of the training rows, evenly spaced
BATCH = 32


def observe(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: list[str],
    modules: Sequence[nn.Module],
    after: bool = False,
) -> list[Tensor]:
    """Return what enters each module (or leaves it) over the texts, `(tokens, size)`, padding left out."""
    seen: list[list[Tensor]] = [[] for _ in modules]
    mask = torch.empty(0)

    def watch(place: int) -> Any:  # noqa: ANN401  (torch's type of a hook)
        """Return a hook that keeps what a module sees under `place`."""

        def hook(_: nn.Module, entering: tuple[Tensor, ...], leaving: Tensor) -> None:
            seen[place].append((leaving if after else entering[0])[mask].detach())

        return hook

    handles = [module.register_forward_hook(watch(place)) for place, module in enumerate(modules)]
    model.eval()
    for batch in _batches(tokenizer, texts):
        mask = batch["attention_mask"].bool()
        with torch.no_grad():
            model(**batch)
    for handle in handles:
        handle.remove()
    return [torch.cat(parts) for parts in seen]


def _batches(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> Iterator[dict[str, Tensor]]:
    chosen = sorted(texts[:: max(1, len(texts) // TEXTS)], key=len)
    for start in range(0, len(chosen), BATCH):
        yield dict(tokenizer(chosen[start : start + BATCH], padding=True, return_tensors="pt"))
