"""Ending a training whose validations no longer get better."""

from __future__ import annotations

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SCORE = "eval_macro_f1"  # of an evaluation, in the Trainer's history


class Patience(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
    """Ends a training after some validations in a row that were no better than the best before them.

    It reads them from the history, which checkpoints hold, so a resumed training counts as one that was not
    interrupted. The callback of transformers begins anew.
    """

    def __init__(self, validations: int) -> None:
        self._validations = validations

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """End the training if it is exhausted."""
        control.should_training_stop |= self.is_exhausted(state)

    def is_exhausted(self, state: TrainerState) -> bool:
        """Return whether so many validations since the best one were no better."""
        scores = [entry[SCORE] for entry in state.log_history if SCORE in entry]
        return bool(scores) and len(scores) - 1 - scores.index(max(scores)) >= self._validations
