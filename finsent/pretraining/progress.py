"""What a person sees of a pretraining: as of a training, with losses in the place of macro F1."""

from __future__ import annotations

import math

from finsent.training.progress import TrainingProgress

MOST_LOSS = 700.0  # far above what random weights have; e to the power of more is no float


class PretrainingProgress(TrainingProgress):
    """The bar and the time to go; a line a measurement of the held-out loss."""

    def _describe(self, metrics: dict[str, float]) -> str:
        found = metrics.get("eval_loss", metrics.get("before_loss", math.nan))
        return f"held-out loss {found:.3f}, perplexity {math.exp(min(found, MOST_LOSS)):.1f}"
