"""Fitting: transformers' Trainer over packed sequences, with the held-out loss measured on the way.

Examples, order and gaps follow from the seed and the step alone, and dropout from the state that a checkpoint
keeps, so a run that was killed and resumed ends in the same weights as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from finsent.errors import FinsentError
from finsent.memory import peak_memory
from finsent.pretraining.examples import MOST_HELD_OUT, Examples, Material
from finsent.pretraining.masking import IGNORED
from finsent.pretraining.model import Model
from finsent.pretraining.progress import MOST_LOSS, PretrainingProgress
from finsent.pretraining.report import FitFigures, LossPoint
from finsent.recipe.pretraining import Pretraining, PretrainingSteps
from finsent.recipe.training import Training
from finsent.training.batches import rows_at_once
from finsent.training.checkpoints import claim_folder, last_whole_checkpoint
from finsent.training.distributed import check_share, count_processes, run_in_all
from finsent.training.optimizers import group_weights, make_adafactor
from finsent.training.precision import use_bf16
from finsent.training.sharing import SharingTrainer

HEAD_RATE = 1e-3  # of a new head that is fitted alone
CHECKPOINT_COPIES = 2  # the latest and one in the making


def fit_encoder(
    recipe: Pretraining, model: Model, material: Material, folder: Path, owner: str, resume: bool = False
) -> FitFigures:
    """Fit a model in place; checkpoints go to `folder`, marked with `owner`, the sha256 of what they are of.

    With `resume` it goes on from the last checkpoint there; FinsentError where that one has another owner.
    Other processes that wait for it do their share.
    """
    check_share(recipe.training.batch_size)
    claim_folder(folder, owner, resume)
    set_seed(recipe.seed)
    examples = count_examples(recipe.training, len(material.learnt))
    steps = math.ceil(examples / recipe.training.batch_size)
    head_steps = min(round(recipe.training.head_warmup * steps), steps - 1) if model.new_head else 0
    checkpoint = last_whole_checkpoint(folder) if resume else None
    started = time.monotonic()
    trainer = run_in_all(partial(_train, recipe, model, material, folder, examples, head_steps, checkpoint))
    seconds = time.monotonic() - started
    model.model.to("cpu").eval()
    resumed_at = int(checkpoint.rpartition("-")[2]) if checkpoint else 0
    return _tell(recipe, model, trainer, head_steps, resumed_at, seconds)


def count_examples(training: PretrainingSteps, sequences: int) -> int:
    """Return how many examples a recipe asks for: its passes, or fewer where it bounds the tokens."""
    examples = math.ceil(sequences * training.epochs)
    if training.tokens is None:
        return examples
    return min(examples, math.ceil(training.tokens / training.length))


def _train(
    recipe: Pretraining,
    model: Model,
    material: Material,
    folder: Path,
    examples: int,
    head_steps: int,
    checkpoint: str | None,
) -> Trainer:
    trainer = _build_trainer(recipe, model, material, folder, examples, head_steps)
    trainer.train(resume_from_checkpoint=checkpoint)
    return trainer


class PretrainingTrainer(SharingTrainer):
    """Takes the examples in their own order, and has the words told only where they were masked."""

    head: torch.nn.Module | None = None  # None: the model's own loss

    def _get_train_sampler(self, *_: object) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401  (wrapped, or not)
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ANN401  (the Trainer's own)
    ) -> Any:  # noqa: ANN401  (as above)
        """Return the mean loss a token that has to be told, of a batch of which these may be a part.

        `num_items_in_batch` counts those tokens in all its parts. Gradients are averaged over processes.
        """
        labels = inputs["labels"]
        told = labels != IGNORED
        mean, output = self._mean_loss(model, inputs, told)
        part = 1 if num_items_in_batch is None else told.sum() / num_items_in_batch * count_processes()
        return (mean * part, output) if return_outputs else mean * part

    def _mean_loss(
        self,
        model: Any,  # noqa: ANN401  (as above)
        inputs: dict[str, torch.Tensor],
        told: torch.Tensor,
    ) -> tuple[torch.Tensor, Any]:
        if self.head is None:
            output = model(**inputs)
            return output.loss, output
        with picking(self.head, told):
            output = model(input_ids=inputs["input_ids"])
        return torch.nn.functional.cross_entropy(output.logits.float(), inputs["labels"][told]), output


@contextmanager
def picking(head: torch.nn.Module, told: torch.Tensor) -> Iterator[None]:
    """Let a head see only the hidden states of these tokens: its vocabulary is most of the work."""

    def pick(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][told], *inputs[1:])

    hook = head.register_forward_pre_hook(pick)
    try:
        yield
    finally:
        hook.remove()


class Milestones(TrainerCallback):  # type: ignore[misc]  # as above
    """Fits a new head alone at first, measures what it started from, and then now and again."""

    def __init__(self, model: Model, head_steps: int, steps: int, evaluations: int) -> None:
        self.body = model.body()
        self.head_steps = head_steps
        self.at = {max(1, round(steps * part / evaluations)) for part in range(1, evaluations + 1)}
        self.trainer: Trainer | None = None

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Freeze the body for the steps of the head, and measure the loss before it moves."""
        self.body.requires_grad_(state.global_step >= self.head_steps)
        known = any("before_loss" in entry for entry in state.log_history)
        if state.global_step >= self.head_steps and not known and self.trainer is not None:
            self.trainer.evaluate(metric_key_prefix="before")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Ask for the loss and a checkpoint at the steps for that."""
        if state.global_step in self.at:
            control.should_log = control.should_evaluate = control.should_save = True


def _build_trainer(
    recipe: Pretraining, model: Model, material: Material, folder: Path, examples: int, head_steps: int
) -> PretrainingTrainer:
    training = recipe.training
    steps = math.ceil(examples / training.batch_size)
    arguments = _arguments(recipe, folder, steps)
    model.model.to(arguments.device)
    optimizer = make_optimizer(training, model.model)
    milestones = Milestones(model, head_steps, steps, training.evaluations)
    count = min(len(material.held_out), MOST_HELD_OUT)
    trainer = PretrainingTrainer(
        model=model.model,
        args=arguments,
        train_dataset=Examples(material.learnt, material.make, recipe.seed, examples),
        eval_dataset=Examples(material.held_out, material.make, recipe.seed + 1, count),
        data_collator=default_data_collator,
        optimizers=(optimizer, make_schedule(training, optimizer, steps, head_steps)),
        callbacks=[milestones, PretrainingProgress()],
    )
    milestones.trainer = trainer
    trainer.head = model.head() if recipe.objective == "mlm" else None
    trainer.model_accepts_loss_kwargs = True  # so that the tokens to tell are counted over parts of a batch
    return trainer


def _arguments(recipe: Pretraining, folder: Path, steps: int) -> TrainingArguments:
    training = recipe.training
    sizes, processes = Training(batch_size=training.batch_size, max_tokens=training.length), count_processes()
    at_once = rows_at_once(sizes, processes)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=training.batch_size // processes // at_once,
        per_device_eval_batch_size=at_once,
        bf16=use_bf16(training.bf16),
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.seed,
        data_seed=recipe.seed,
        eval_strategy="no",  # the milestones ask for all of this
        save_strategy="no",
        logging_strategy="no",
        save_total_limit=CHECKPOINT_COPIES,
        prediction_loss_only=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        report_to=[],
    )


def make_optimizer(training: PretrainingSteps, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe; biases and norms do not decay."""
    if training.optimizer == "adafactor":
        return make_adafactor(model, training.learning_rate, training.weight_decay)
    return torch.optim.AdamW(group_weights(model, training.weight_decay), lr=training.learning_rate)


def make_schedule(
    training: PretrainingSteps, optimizer: torch.optim.Optimizer, steps: int, head_steps: int
) -> LambdaLR:
    """Return the rate by step: that of a head, then a rise to the recipe's rate, then a fall to 0."""
    rest = steps - head_steps
    rise = math.ceil(training.warmup * rest)

    def factor(step: int) -> float:
        """Return what the recipe's rate is multiplied by at a step."""
        if step < head_steps:
            return HEAD_RATE / training.learning_rate
        done = step - head_steps
        return (done + 1) / rise if done < rise else max(0.0, (rest - done) / max(1, rest - rise))

    return LambdaLR(optimizer, factor)


def _tell(
    recipe: Pretraining, model: Model, trainer: Trainer, head_steps: int, resumed_at: int, seconds: float
) -> FitFigures:
    log, steps = trainer.state.log_history, int(trainer.state.global_step)
    before = next(float(entry["before_loss"]) for entry in log if "before_loss" in entry)
    trained = {entry["step"]: float(entry["loss"]) for entry in log if "loss" in entry}
    held_out = {entry["step"]: float(entry["eval_loss"]) for entry in log if "eval_loss" in entry}
    if not all(loss < MOST_LOSS for loss in (before, *trained.values(), *held_out.values())):
        raise FinsentError(
            f"{recipe.name}: the pretraining diverged: its loss is no longer a finite number, or a huge one; "
            "lower training.learning_rate, and run again without --resume"
        )
    length, examples = recipe.training.length, len(trainer.train_dataset)
    done = min(examples, resumed_at * recipe.training.batch_size)
    return FitFigures(
        steps=steps,
        head_steps=head_steps,
        resumed_at=resumed_at,
        tokens=examples * length,
        seconds=seconds,
        tokens_a_second=(examples - done) * length / seconds,
        loss_before=before,
        loss_after=held_out[steps],
        perplexity_before=math.exp(before),
        perplexity_after=math.exp(held_out[steps]),
        curve=[
            LossPoint(step=step, training_loss=trained[step], held_out_loss=loss)
            for step, loss in held_out.items()
        ],
        precision="bf16 autocast" if trainer.args.bf16 else "fp32",
        threads=torch.get_num_threads(),
        parameters=model.parameters,
        peak_memory_bytes=peak_memory(),
        processes=count_processes(),
    )
