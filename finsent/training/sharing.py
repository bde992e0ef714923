"""How processes share every batch, so that a step is the same however many there are.

`batch_size` means the whole batch. Each process computes its own rows of it, DistributedDataParallel adds the
gradients up, and losses are divided by what the whole batch holds, so uneven shares count as they should.
The order of the rows is the one that the first process draws, and a run alone draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import BatchSampler, DataLoader, Sampler
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerState, TrainingArguments, set_seed
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler

from finsent.cli import say
from finsent.training.distributed import agree, count_processes, is_first, rank
from finsent.training.pairs import PAIR, Together, pair_loss
from finsent.training.patience import Patience
from finsent.training.progress import TrainingProgress


class CommonOrder(Sampler[int]):
    """The order that a sampler draws in the first process, for all of them.

    Each one's own random numbers part at the first dropout, and rows would be read twice or never. The order
    depends on `draw_seed` alone, asked at the beginning of a pass: a training that is resumed within a pass
    goes on with the rows that are left of it.
    """

    def __init__(
        self, sampler: Sampler[int], generator: torch.Generator, draw_seed: Callable[[], int]
    ) -> None:
        self.sampler, self._generator, self._draw_seed = sampler, generator, draw_seed

    def __iter__(self) -> Iterator[int]:
        self._generator.manual_seed(self._draw_seed())
        yield from agree(list(self.sampler) if is_first() else None)

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]  # those of datasets have a length


class Shares(Sampler[list[int]]):
    """One process's rows of every batch, `at_once` at a time.

    A batch with fewer rows than there are processes, as the last of a pass may be, is computed by all of
    them: the mean over the same rows is the same, however often they are computed.
    """

    def __init__(
        self, order: Sampler[int], batch_size: int, at_once: int, rank: int = 0, processes: int = 1
    ) -> None:
        self.batches = BatchSampler(order, batch_size, drop_last=False)
        self.rows, self.at_once = len(order), at_once  # type: ignore[arg-type]  # as above
        self.rank, self.processes = rank, processes

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches:
            yield from self._divide(batch)

    def __len__(self) -> int:
        whole, rest = divmod(self.rows, self.batches.batch_size)
        return whole * len(self._divide([0] * self.batches.batch_size)) + len(self._divide([0] * rest))

    def _divide(self, batch: list[int]) -> list[list[int]]:
        own = batch[self.rank :: self.processes] if len(batch) >= self.processes else batch
        return [own[start : start + self.at_once] for start in range(0, len(own), self.at_once)]


class SharingTrainer(Trainer):  # type: ignore[misc]  # transformers is not typed here
    """The Trainer for one process of several, or for one alone; it speaks through TrainingProgress only."""

    def __init__(
        self,
        *,
        args: TrainingArguments,
        pair_margin: float = 0.0,
        patience: Patience | None = None,
        **settings: Any,  # noqa: ANN401  (the Trainer's)
    ) -> None:
        use_one_gpu(args)
        super().__init__(args=args, **settings)
        self.pair_margin, self.patience = pair_margin, patience
        if patience is not None:
            self.add_callback(patience)
        for printing in (PrinterCallback, ProgressCallback, *(() if is_first() else (TrainingProgress,))):
            self.remove_callback(printing)
        if not is_first():
            set_seed(args.seed + rank())  # else all would drop the same hidden states

    def train_from(self, checkpoint: str | None) -> None:
        """Train, from a checkpoint if there is one; one that came to its end takes no more steps."""
        if checkpoint is not None:
            state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
            if self._has_ended(state):
                self.state = state
                self._load_best_model()
                return
        self.train(resume_from_checkpoint=checkpoint)

    def _has_ended(self, state: TrainerState) -> bool:
        exhausted = self.patience is not None and self.patience.is_exhausted(state)
        return exhausted or state.global_step >= self.args.max_steps

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return this process's share, by today's arguments; a checkpoint's would be those of its own run."""
        rows = self.train_dataset
        if isinstance(rows, Dataset):
            rows = self._remove_unused_columns(rows)
        at_once, processes = self.args.per_device_train_batch_size, count_processes()
        whole = at_once * self.args.gradient_accumulation_steps * processes
        shares = Shares(self._get_train_sampler(), whole, at_once, rank(), processes)
        return DataLoader(rows, batch_sampler=shares, collate_fn=self.data_collator)

    def _get_train_sampler(self, *_: object) -> Sampler[int]:
        sampler, generator = super()._get_train_sampler(), torch.Generator()
        sampler.generator = generator
        if isinstance(sampler, LengthGroupedSampler):
            sampler.batch_size *= count_processes()  # rows of like length share a whole batch
        rows = len(sampler)
        if self.pair_margin:
            pairs = [pair for pair, _ in self.train_dataset[PAIR][:]]
            sampler = Together(sampler, pairs, self.args.per_device_train_batch_size)
        return CommonOrder(sampler, generator, partial(self._seed_of_pass, rows))

    def _seed_of_pass(self, rows: int) -> int:
        """Return the seed of the pass over so many rows that now begins, or is gone on with."""
        at_once, processes = self.args.per_device_train_batch_size, count_processes()
        steps = math.ceil(rows / (at_once * self.args.gradient_accumulation_steps * processes))
        seeds = np.random.SeedSequence([self.args.seed, self.state.global_step // steps])
        return int(seeds.generate_state(1)[0])

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if PAIR not in self._signature_columns:
            self._signature_columns.append(PAIR)  # or the Trainer would remove that column

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401  (a loss, or a loss and the outputs)
        """Return the loss of a share of a batch, with the margin between pairs where training has one."""
        pairs = inputs.pop(PAIR, None)
        labels = inputs["labels"]
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if pairs is not None and self.pair_margin:
            lack = pair_loss(outputs["logits"], pairs, self.pair_margin)
            loss = loss + lack * (1 if num_items_in_batch is None else labels.numel() / num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def _get_eval_sampler(self, rows: Any) -> Sampler[int] | None:  # noqa: ANN401  (as above)
        sampler, generator = super()._get_eval_sampler(rows), torch.Generator()
        if sampler is None:
            return None
        sampler.generator = generator
        return CommonOrder(sampler, generator, lambda: self.args.seed)


def use_one_gpu(arguments: TrainingArguments) -> None:
    """Keep the Trainer to one GPU a process: left alone it would give each GPU a whole batch."""
    if (count := arguments.n_gpu) > 1:
        say(f"  one of {count} GPUs is used; start with torchrun --nproc-per-node {count} to use them all")
        arguments._n_gpu = 1
