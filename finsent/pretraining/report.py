"""What is known of the making of an encoder: pretraining.json in its folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from finsent.errors import FinsentError
from finsent.release import PRETRAINING


class Figures(BaseModel):
    """A part of the report; nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFigures(Figures):
    """One source: the texts that its own filters left, and how many these took, by reason.

    `repeated_lines` are different lines that were taken out of the texts as boilerplate.
    """

    title: str
    licence: str
    texts: int
    characters: int
    left_out: dict[str, int]
    repeated_lines: int


class ProtectionFigures(Figures):
    """Rows that no learnt text may be near to: how many, of which recipes, and what went because of them."""

    recipes: list[str]
    rows: int
    sentences_taken_out: int
    texts_touched: int


class TextFigures(Figures):
    """All sources together: what stayed, and what went as a copy, nearly one, or near to protected rows."""

    sources: dict[str, SourceFigures]
    copies: int
    near_copies: int
    protection: ProtectionFigures | None
    emptied: int
    learnt: int
    held_out: int
    fingerprint: str


class PackingFigures(Figures):
    """Tokens in sequences without padding. `left_over` tokens at the end fill no sequence.

    `padding_unpacked` is the share of padding if every text had sequences of its own, 0..1.
    """

    length: int
    sequences: int
    tokens: int
    left_over: int
    held_out_sequences: int
    padding_unpacked: float


class LossPoint(Figures):
    """The losses at a step: of training since the last point, and of the held-out texts."""

    step: int
    training_loss: float
    held_out_loss: float


class FitFigures(Figures):
    """What fitting took and reached. Losses are means a token that had to be told, in nats.

    `loss_before` is that of the weights it started from; where the head was new, after fitting that alone
    for `head_steps`. `seconds` are those since step `resumed_at`. `threads` and `peak_memory_bytes` are those
    of the first of the `processes`.
    """

    steps: int
    head_steps: int
    resumed_at: int
    tokens: int
    seconds: float
    tokens_a_second: float
    loss_before: float
    loss_after: float
    perplexity_before: float
    perplexity_after: float
    curve: list[LossPoint]
    precision: str
    threads: int
    parameters: int
    peak_memory_bytes: int
    processes: int = 1


class PretrainingReport(Figures):
    """All of it. `recipe` is the fingerprint of the recipe, `weights` and `tokenizer` are sha256 of files."""

    name: str
    objective: str
    hub: str
    base: str | None
    licence: str
    recipe: str
    weights: str
    tokenizer: str
    vocabulary: int
    texts: TextFigures
    packing: PackingFigures
    fit: FitFigures
    versions: dict[str, str]
    created: str


def read_report(folder: Path) -> PretrainingReport:
    """Return the report of an encoder's folder; FinsentError where there is none, or another version's."""
    path = folder / PRETRAINING
    try:
        return PretrainingReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise FinsentError(
            f"{path}: is not a report of a pretraining ({error}); run pretrain.py again"
        ) from None
