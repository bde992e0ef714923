"""Fitting the weights: transformers' Trainer over the recipe's rows, then a temperature put into the head.

What a row teaches is a probability a label (`finsent.training.targets`): of annotators, teachers or both.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    DataCollatorWithPadding,
    EvalPrediction,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from finsent.data.splits import Splits
from finsent.data.transfer import Transfer
from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.memory import peak_memory
from finsent.recipe.recipe import Recipe
from finsent.recipe.training import Energy, Training
from finsent.scoring import classification
from finsent.training.adapter import attach_adapter, choose_layers
from finsent.training.answers import digest_answers
from finsent.training.batches import check_pairs_fit, rows_at_once
from finsent.training.checkpoints import claim_folder, last_whole_checkpoint
from finsent.training.curve import read_curve
from finsent.training.distributed import check_share, count_processes, run_in_all
from finsent.training.loss import class_weights, make_loss
from finsent.training.optimizers import make_adafactor
from finsent.training.pairs import number_pairs
from finsent.training.patience import Patience
from finsent.training.precision import use_bf16
from finsent.training.progress import TrainingProgress
from finsent.training.report import TrainingReport, TransferReport
from finsent.training.sharing import SharingTrainer
from finsent.training.targets import training_rows, validation_rows
from finsent.training.temperature import fit_temperature, fold_temperature

CHECKPOINT_COPIES = 3  # the best, the latest and one in the making


def fit(
    recipe: Recipe,
    splits: Splits,
    base: BaseModel,
    folder: Path,
    resume: bool = False,
    teachers: Sequence[Path] = (),
    transfer: Transfer | None = None,
    progress: TrainerCallback | None = None,
) -> TrainingReport:
    """Fit `base.model` in place and calibrate it; checkpoints go to `folder`.

    `teachers` are the releases of the recipe's teachers, in its order; `transfer` holds texts that they
    alone label. `progress` is told of every validation, in place of the terminal. With `resume`, training
    goes on from the last checkpoint there; FinsentError if that one was made from another recipe or other
    rows. Without a checkpoint it starts from the beginning. Other processes that wait for it do their share.
    """
    check_share(recipe.training.batch_size)
    check_pairs_fit(recipe.training, count_processes())
    owner = recipe.making_fingerprint() + splits.report.fingerprints["train"] + digest_answers(teachers)
    claim_folder(folder, owner + (transfer.digest() if transfer else ""), resume)
    started = time.monotonic()
    set_seed(recipe.training_seed)
    if recipe.training.dropout is not None:
        set_dropout(base.model, recipe.training.dropout)
    if recipe.training.freeze_embeddings:
        base.model.get_input_embeddings().requires_grad_(False)
    rows, answers = training_rows(recipe, splits.train, teachers, transfer.texts if transfer else ())
    checkpoint = last_whole_checkpoint(folder) if resume else None
    shown = progress or TrainingProgress()
    fitting = partial(_train, recipe, rows, splits, base, folder, shown, checkpoint)
    trainer, trained, macro_f1, temperature = run_in_all(fitting)
    base.model.to("cpu").eval()
    parameters = sum(weights.numel() for weights in base.model.parameters())
    seconds = time.monotonic() - started
    watt_hours, grams = estimate_energy(recipe.energy, seconds)
    return TrainingReport(
        seconds=seconds,
        steps=trainer.state.global_step,
        resumed_at=int(checkpoint.rpartition("-")[2]) if checkpoint else 0,
        epochs=float(trainer.state.epoch or 0),
        validation_macro_f1=macro_f1,
        temperature=temperature,
        precision="bf16 autocast" if trainer.args.bf16 else "fp32",
        parameters=parameters,
        watt_hours_estimate=watt_hours,
        co2_grams_estimate=grams,
        transfer=_report_transfer(transfer) if transfer else None,
        answers=answers,
        processes=count_processes(),
        trained_share=trained / parameters,
        peak_memory_bytes=_peak_memory(),
        curve=read_curve(trainer.state.log_history),
    )


def _report_transfer(transfer: Transfer) -> TransferReport:
    return TransferReport(len(transfer.texts), transfer.repeated, transfer.near, transfer.digest())


def check_fitting(recipe: Recipe, splits: Splits, mirror: Path | None) -> None:
    """Raise now what `fit` would raise after hours in which teachers are made and asked.

    FinsentError if no rows are pairs; BaseModelError if an adapter does not go with the encoder.
    """
    if recipe.training.pair_margin:
        number_pairs(splits.train, recipe.labels)
    if recipe.adapter is not None and recipe.built_teachers:
        base = load_base(recipe, [row.text for row in splits.train], mirror)
        choose_layers(base.model, recipe.adapter, recipe.base.hub)


def _train(
    recipe: Recipe,
    rows: Dataset,
    splits: Splits,
    base: BaseModel,
    folder: Path,
    progress: TrainerCallback,
    checkpoint: str | None,
) -> tuple[SharingTrainer, int, float, float]:
    """Train, merge and calibrate `base.model` in place.

    Returns what did it, how many weights were trained, the macro F1 and the temperature.
    """
    adapter = attach_adapter(base.model, recipe.adapter, recipe.base.hub) if recipe.adapter else None
    trainer = _build_trainer(recipe, rows, splits, base, folder, progress)
    trainer.train_from(checkpoint)
    trained = sum(weights.numel() for weights in base.model.parameters() if weights.requires_grad)
    if adapter is not None:
        adapter.merge()
    return trainer, trained, *_calibrate(trainer, base.model)


def _peak_memory() -> int:
    """Return the most bytes so far: of the accelerator that is trained on, or else of this process."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else peak_memory()


def _calibrate(trainer: Trainer, model: PreTrainedModel) -> tuple[float, float]:
    """Fit a temperature on the validation rows and fold it in; return their macro F1 and the temperature."""
    output = trainer.predict(trainer.eval_dataset)
    labels = np.asarray(output.label_ids).argmax(axis=1)
    temperature = fit_temperature(np.asarray(output.predictions), labels)
    fold_temperature(model, temperature)
    return float((output.metrics or {})["test_macro_f1"]), temperature


def estimate_energy(energy: Energy | None, seconds: float) -> tuple[float | None, float | None]:
    """Return watt hours and grams of CO2 equivalent: stated power times seconds, never a measurement."""
    if energy is None:
        return None, None
    hours = seconds / 3600
    return energy.watts * hours, energy.watts * hours / 1000 * energy.grams_per_kwh


def tokenize_rows(rows: Dataset, tokenizer: PreTrainedTokenizerFast, training: Training) -> Dataset:
    """Return the rows as model inputs, cut to the recipe's `max_tokens`, with `length` for grouping."""

    def encode(batch: dict[str, list[Any]]) -> dict[str, Any]:
        encoded = tokenizer(batch["text"], truncation=True, max_length=training.max_tokens)
        return {**encoded, "length": [len(ids) for ids in encoded["input_ids"]]}

    return rows.map(encode, batched=True, remove_columns=["text"], keep_in_memory=True)


def _build_trainer(
    recipe: Recipe, taught: Dataset, splits: Splits, base: BaseModel, folder: Path, progress: TrainerCallback
) -> SharingTrainer:
    training, tokenizer = recipe.training, base.tokenizer()
    rows = {"train": taught, "validation": validation_rows(splits.validation, recipe.labels)}
    rows = {split: tokenize_rows(rows[split], tokenizer, training) for split in rows}
    own = None  # the trainer makes AdamW
    if training.optimizer == "adafactor":
        own = make_adafactor(base.model, training.learning_rate, training.weight_decay)
    return SharingTrainer(
        model=base.model,
        pair_margin=training.pair_margin,
        optimizers=(own, None),
        args=_arguments(recipe, len(rows["train"]), folder),
        train_dataset=rows["train"],
        eval_dataset=rows["validation"],
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_loss_func=make_loss(class_weights(splits, recipe), training.label_smoothing),
        compute_metrics=_macro_f1,
        preprocess_logits_for_metrics=_logits_alone,
        patience=Patience(training.patience),
        callbacks=[progress],
    )


def _logits_alone(outputs: Any, _: torch.Tensor) -> torch.Tensor:  # noqa: ANN401  (a tensor, or several)
    """Return logits `(n, n_labels)`; a model with a decoder gives its hidden states, too."""
    return outputs[0] if isinstance(outputs, tuple) else outputs  # type: ignore[no-any-return]


def _macro_f1(prediction: EvalPrediction) -> dict[str, float]:
    """Score the classes that logits and labels choose, both `(n, n_labels)`."""
    logits, labels = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    found = classification(logits.argmax(axis=1), labels.argmax(axis=1), labels.shape[1])
    return {"macro_f1": found["macro_f1"]}


def _arguments(recipe: Recipe, rows: int, folder: Path) -> TrainingArguments:
    training, at_once = recipe.training, rows_at_once(recipe.training, count_processes())
    steps = math.ceil(math.ceil(rows / training.batch_size) * training.epochs)
    every = math.ceil(steps / training.evaluations)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=every * training.evaluations,  # the last step is evaluated too, at the lowest rate
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=training.batch_size // count_processes() // at_once,
        per_device_eval_batch_size=4 * at_once,
        learning_rate=training.learning_rate,
        warmup_ratio=training.warmup,
        weight_decay=training.weight_decay,
        group_by_length=True,
        length_column_name="length",
        bf16=use_bf16(training.bf16),
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.training_seed,
        data_seed=recipe.training_seed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=CHECKPOINT_COPIES,
        logging_steps=every,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        dataloader_pin_memory=False,
        report_to=[],
    )


def set_dropout(model: PreTrainedModel, rate: float) -> None:
    """Set the rate of every dropout layer; the config keeps what it said, for whoever trains on."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
        elif isinstance(getattr(module, "dropout", None), float):  # of attention that has no layer for it
            module.dropout = rate
