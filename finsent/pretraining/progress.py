"""What a person sees of a pretraining: as of a training, with losses in the place of macro F1."""

from __future__ import annotations

import math
import sys

from tqdm import tqdm
from transformers import TrainerControl, TrainerState, TrainingArguments

from finsent.training.progress import TrainingProgress


class PretrainingProgress(TrainingProgress):
    """The bar and the time to go; a line a measurement."""

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: object,
    ) -> None:
        """Write the line of one measurement of the held-out loss."""
        found = metrics.get("eval_loss", metrics.get("before_loss", math.nan))
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        loss = f"loss {losses[-1]:.3f}, " if losses and "eval_loss" in metrics else ""
        line = f"  step {state.global_step}/{state.max_steps}: {loss}held-out loss {found:.3f}"
        tqdm.write(f"{line}, perplexity {math.exp(found):.1f}", file=sys.stderr)
