"""What training leaves in metrics.json; without torch, for those who only read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TransferReport:
    """Texts without labels that were learnt; copies and texts near to held-out rows that were not."""

    texts: int
    repeated: int
    near: int


@dataclass(frozen=True)
class TrainingReport:
    """What training took and reached: seconds, estimates in watt hours and grams, where it went on from.

    `trained_share` is that of the weights that were trained, in units of all that are released. With
    `peak_memory_bytes`, the most that training took, it is None in a release from before it was measured.
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
    processes: int = 1
    trained_share: float | None = None
    peak_memory_bytes: int | None = None
