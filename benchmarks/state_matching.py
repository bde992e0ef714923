"""A teacher's hidden states as a second thing to learn, for benchmarks.distillation alone.

The loss grows by `weight` times the mean of 1 - cosine between the first token's last states of student and
teacher. It enters by the gradient of the logits, so the code that fits a release knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from finsent.encoder.base_model import BaseModel
from finsent.encoder.families import find_family, find_row
from finsent.errors import BaseModelError
from finsent.recipe.training import Training

BATCH = 64
States = dict[tuple[int, ...], Tensor]  # a text's pieces, as the student reads it -> a state of the teacher


class _WithLoss(torch.autograd.Function):
    """Gives logits back as they are; a loss beside them gets the gradient 1."""

    @staticmethod
    def forward(_: Any, logits: Tensor, loss: Tensor) -> Tensor:  # noqa: ANN401  (torch's own)
        return logits.view_as(logits)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        return gradient, torch.ones((), device=gradient.device)


@contextmanager
def matched_states(
    base: BaseModel, teacher: Path, texts: Sequence[str], training: Training, weight: float
) -> Iterator[None]:
    """Let a student that is fitted within, to these texts and no others, match the teacher's states of them.

    Raises BaseModelError if the two have states of different sizes, or no first token that stands for a text.
    """
    _check_states(base, teacher)
    theirs = read_states(teacher, texts)
    ids = base.tokenizer()(list(texts), truncation=True, max_length=training.max_tokens)["input_ids"]
    states = dict(zip(map(tuple, ids), theirs, strict=True))
    hooks = attach_states(base.model, states, weight / training.batch_size)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _check_states(base: BaseModel, teacher: Path) -> None:
    theirs = AutoConfig.from_pretrained(teacher)
    if find_family(base.model).decodes or find_row(theirs).decodes:
        raise BaseModelError("a T5 has no first token whose state stands for a text")
    if (own := base.model.config.hidden_size) != theirs.hidden_size:
        raise BaseModelError(
            f"a student's state of {own} values does not match that of its teacher, of {theirs.hidden_size}"
        )


def read_states(teacher: Path, texts: Sequence[str]) -> Tensor:
    """Return the first token's last state `(n, hidden_size)` of a release."""
    model = AutoModelForSequenceClassification.from_pretrained(teacher).base_model.eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(teacher)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    states = torch.empty(len(texts), model.config.hidden_size)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        batch = tokenizer([texts[index] for index in chosen], padding=True, return_tensors="pt")
        with torch.inference_mode():
            states[chosen] = model(**batch)[0][:, 0]
    return states


def attach_states(model: Any, states: States, weight: float) -> list[Any]:  # noqa: ANN401  (of transformers)
    """Add the sum over a batch's rows, times `weight`, to any loss that is made of the logits in training."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401  (torch's own)
        seen[:] = [output[0][:, 0]]

    def add(module: nn.Module, _: Any, given: dict[str, Tensor], output: Any) -> None:  # noqa: ANN401
        if module.training:
            rows = zip(given["input_ids"], given["attention_mask"], strict=True)
            targets = torch.stack([states[tuple(ids[mask.bool()].tolist())] for ids, mask in rows])
            near = torch.cosine_similarity(seen[0].float(), targets.to(seen[0].device))
            loss = weight * (1 - near).sum()
            output.logits = _WithLoss.apply(output.logits, loss)  # type: ignore[no-untyped-call]  # torch's

    return [
        model.base_model.register_forward_hook(keep),
        model.register_forward_hook(add, with_kwargs=True),
    ]
