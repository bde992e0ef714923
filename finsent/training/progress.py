"""What a person sees of a training, on stderr: a bar on a terminal, a line a validation, the time to go."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from finsent.cli import WORTH_TELLING, tell_seconds

WATCHED = 20  # steps by which the pace is told; the one before them warms up


class TrainingProgress(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
    """Stands in for the Trainer's own bars, which print dictionaries on stdout."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._steps: int = 0
        self._since: float = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Open the bar where the training starts, or goes on."""
        self._bar = tqdm(
            total=state.max_steps, initial=state.global_step, unit="step", file=sys.stderr,
            disable=not sys.stderr.isatty(), leave=False,
        )  # fmt: skip

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Move the bar to the step that is done."""
        self._bar.update(state.global_step - self._bar.n if not self._bar.disable else 0)
        self._steps += 1
        if self._steps == 1:
            self._since = time.monotonic()
        elif self._steps == 1 + WATCHED:
            self._tell_time(state.max_steps - state.global_step, time.monotonic() - self._since)

    def _tell_time(self, left: int, taken: float) -> None:
        """Say how long the steps that are left will take at this pace, validations apart."""
        if (seconds := left * taken / WATCHED) > WORTH_TELLING:
            told = f"  about {tell_seconds(seconds)} to go: {left:,} steps of {taken / WATCHED:.2f} s"
            tqdm.write(told, file=sys.stderr)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: object,
    ) -> None:
        """Write the line of one validation."""
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        loss = f"loss {losses[-1]:.3f}, " if losses else ""
        line = f"  step {state.global_step}/{state.max_steps}: {loss}{self._describe(metrics)}"
        tqdm.write(line, file=sys.stderr)

    def _describe(self, metrics: dict[str, float]) -> str:
        return f"validation macro F1 {metrics['eval_macro_f1']:.3f}"

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Close the bar."""
        self._bar.close()
