"""What a row teaches: a probability for every label, from its annotators, from teachers, or from both."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from tqdm import tqdm
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
)

from finsent.errors import FinsentError
from finsent.precision import use_bf16
from finsent.recipe import Recipe
from finsent.release import read_labels
from finsent.scoring import Floats
from finsent.sources import Row
from finsent.variants import vary

BATCH = 64


def row_targets(rows: list[Row], labels: list[str]) -> Floats:
    """Return `(n, n_labels)`: the label's share of the annotators, the rest evenly among the other labels."""
    shares = np.array([row.share for row in rows])
    chosen = np.array([labels.index(row.label) for row in rows])
    targets = np.repeat(((1 - shares) / (len(labels) - 1))[:, None], len(labels), axis=1)
    targets[np.arange(len(rows)), chosen] = shares
    return targets


def validation_rows(rows: list[Row], labels: list[str]) -> Dataset:
    """Return columns text and label `(n_labels,)`: all of the probability on the row's own label."""
    one_hot = np.eye(len(labels))[[labels.index(row.label) for row in rows]]
    return Dataset.from_dict({"text": [row.text for row in rows], "label": one_hot.tolist()})


def training_rows(recipe: Recipe, rows: list[Row], teachers: Sequence[Path]) -> Dataset:
    """Return columns text and label `(n_labels,)`: the rows, then variants of them that only teachers label.

    Raises FinsentError when a teacher has other labels than the recipe.
    """
    texts, targets = [row.text for row in rows], row_targets(rows, recipe.labels)
    if recipe.distillation is not None:
        plan = recipe.distillation
        varied = vary(texts, plan.variants, recipe.training_seed)
        bf16 = use_bf16(recipe.training.bf16)
        taught = ask_teachers(teachers, texts + varied, recipe.labels, plan.temperature, bf16)
        targets = plan.weight * taught[: len(texts)] + (1 - plan.weight) * targets
        texts, targets = texts + varied, np.concatenate([targets, taught[len(texts) :]])
    return Dataset.from_dict({"text": texts, "label": targets.tolist()})


def ask_teachers(
    folders: Sequence[Path], texts: list[str], labels: list[str], temperature: float, bf16: bool = False
) -> Floats:
    """Return the mean of the teachers' probabilities `(n, n_labels)`; `folders` are finished releases."""
    found = np.zeros((len(texts), len(labels)))
    for folder in folders:
        if (theirs := read_labels(folder)) != labels:
            raise FinsentError(f"{folder}: the teacher has labels {theirs}, the recipe {labels}")
        logits = run_model(folder, texts, bf16) / temperature
        exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
        found += exponential / exponential.sum(axis=1, keepdims=True)
    return found / len(folders)


def run_model(folder: Path, texts: list[str], bf16: bool = False) -> Floats:
    """Return the logits `(n, n_labels)` of a saved model, in length-sorted batches, on whatever is there."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSequenceClassification.from_pretrained(folder).to(device).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    pad = DataCollatorWithPadding(tokenizer)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    logits = np.zeros((len(texts), model.config.num_labels))
    starts = range(0, len(order), BATCH)
    for start in tqdm(starts, unit="batch", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False):
        chosen = order[start : start + BATCH]
        encoded = tokenizer([texts[index] for index in chosen])
        batch = pad([{key: encoded[key][at] for key in encoded} for at in range(len(chosen))])
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bf16):
            logits[chosen] = model(**batch.to(device)).logits.float().cpu().numpy()
    return logits
