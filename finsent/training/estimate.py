"""What a training will take: a few steps measured on this machine, times all that the recipe asks for."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from finsent.data.rows import Row
from finsent.data.splits import Splits
from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.memory import peak_memory
from finsent.recipe.recipe import Recipe
from finsent.training.adapter import attach_adapter
from finsent.training.batches import rows_at_once
from finsent.training.precision import use_bf16
from finsent.training.targets import asked_texts

QUANTILES = (0.95, 0.15, 0.5, 0.85)  # of length: the batch at each is one step; the first only warms up


@dataclass(frozen=True)
class Estimate:
    """Seconds of fitting at most, as training may stop early, and bytes of memory at least.

    Measured are `measured_steps` steps and one batch of validation rows. Reading, teachers, export and the
    figures of the release come on top.
    """

    seconds: float
    peak_memory_bytes: int
    steps: int
    seconds_a_step: float
    measured_steps: int
    threads: int


def estimate_training(recipe: Recipe, splits: Splits, mirror: Path | None = None) -> Estimate:
    """Load the recipe's base and measure a few steps on rows of different lengths."""
    training = recipe.training
    base = load_base(recipe, [row.text for row in splits.train], mirror)
    base.model.to(_device())
    if training.freeze_embeddings:
        base.model.get_input_embeddings().requires_grad_(False)
    if recipe.adapter is not None:
        attach_adapter(base.model, recipe.adapter, recipe.base.hub)
    optimizer = torch.optim.AdamW(base.model.parameters(), lr=training.learning_rate)
    at_once = rows_at_once(training)
    batches = _choose_batches(sorted(splits.train, key=lambda row: len(row.text)), at_once)
    took = [_step(recipe, base, batch, optimizer) for batch in batches][1:]
    checked = _choose_batches(splits.validation, 4 * at_once)[-1]
    a_check = _step(recipe, base, checked, None) * len(splits.validation) / len(checked)
    steps = _count_steps(recipe, splits.train)
    a_step = sum(took) / len(took) * (training.batch_size // at_once)
    seconds = steps * a_step + training.evaluations * a_check
    return Estimate(seconds, peak_memory(), steps, a_step, len(took), torch.get_num_threads())


def _count_steps(recipe: Recipe, rows: list[Row]) -> int:
    plan, taught = recipe.distillation, len(rows)
    if plan is not None:
        taught += len(asked_texts(recipe, rows)) + plan.transfer
    return math.ceil(math.ceil(taught / recipe.training.batch_size) * recipe.training.epochs)


def _choose_batches(rows: list[Row], size: int) -> list[list[Row]]:
    starts = [int(quantile * max(0, len(rows) - size)) for quantile in QUANTILES]
    return [rows[start : start + size] for start in starts]


def _step(recipe: Recipe, base: BaseModel, rows: list[Row], optimizer: torch.optim.Optimizer | None) -> float:
    """Return the seconds of one step, or of a pass forward alone where there is no optimizer."""
    started = time.perf_counter()
    inputs: Any = base.tokenizer()(
        [row.text for row in rows],
        truncation=True,
        max_length=recipe.training.max_tokens,
        padding=True,
        return_tensors="pt",
    )
    labels = torch.tensor([recipe.labels.index(row.label) for row in rows]).to(_device())
    base.model.train(optimizer is not None)
    half = use_bf16(recipe.training.bf16)
    with (
        torch.set_grad_enabled(optimizer is not None),
        torch.autocast(_device(), torch.bfloat16, enabled=half),
    ):
        loss = base.model(**inputs.to(_device()), labels=labels).loss
    if optimizer is not None:
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
