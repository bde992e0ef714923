"""The learning curve of a training, read from what the Trainer logged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from finsent.training.report import Evaluation


def read_curve(log: Sequence[Mapping[str, float]]) -> tuple[Evaluation, ...]:
    """Return the evaluations in the Trainer's log, which has the training loss of the same steps.

    A checkpoint carries the log, so a resumed training has the evaluations from before, too. One whose loss
    is not finite is left out, because JSON has no number for it.
    """
    losses = {int(entry["step"]): entry["loss"] for entry in log if "loss" in entry}
    found = (
        Evaluation(step, losses[step], entry["eval_loss"], entry["eval_macro_f1"])
        for entry in log
        if "eval_macro_f1" in entry and (step := int(entry["step"])) in losses
    )
    return tuple(one for one in found if math.isfinite(one.train_loss + one.validation_loss))
