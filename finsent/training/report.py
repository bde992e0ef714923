"""What training leaves in metrics.json; without torch, for those who only read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TransferReport:
    """Texts without labels that were learnt; copies and texts near to held-out rows that were not.

    `digest` is the sha256 of those that were learnt; older releases have none.
    """

    texts: int
    repeated: int
    near: int
    digest: str = ""


@dataclass(frozen=True)
class AnswersReport:
    """Rows and copies that were learnt with written answers; rows that had none, and copies that had none."""

    rows: int
    copies: int
    rows_without: int
    copies_without: int


@dataclass(frozen=True)
class Evaluation:
    """What was found at one step: losses, and macro F1 on the validation rows.

    `train_loss` is the mean over the batches since the evaluation before, with dropout, against what the rows
    teach. `validation_loss` is against the labels.
    """

    step: int
    train_loss: float
    validation_loss: float
    validation_macro_f1: float


@dataclass(frozen=True)
class TrainingReport:
    """What training took and reached: seconds, estimates in watt hours and grams, where it went on from.

    `trained_share` is that of the weights that were trained, in units of all that are released. With
    `peak_memory_bytes`, the most that the process took until then, it is None in releases from before that.
    `curve` has every evaluation, also those from before an interruption; older releases have none.
    """

    seconds: float
    steps: int
    resumed_at: int
    epochs: float
    validation_macro_f1: float
    temperature: float
    precision: str
    parameters: int
    watt_hours_estimate: float | None
    co2_grams_estimate: float | None
    transfer: TransferReport | None = None
    answers: AnswersReport | None = None
    processes: int = 1
    trained_share: float | None = None
    peak_memory_bytes: int | None = None
    curve: tuple[Evaluation, ...] = ()
