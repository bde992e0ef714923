"""How a new release compares with the one that is published, by their metrics.json."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, ValidationError

from model_card.measure.metrics_file import Metrics


class FigureChange(BaseModel):
    """One figure of one variant: shares 0..1, sizes in bytes, latency in ms; None where it is new or gone."""

    model_config = ConfigDict(frozen=True)

    variant: str
    figure: str
    before: float | None
    after: float | None


def read_published(content: bytes | None) -> Metrics | None:
    """Return the metrics of what is published, None if there are none of a schema that we know."""
    try:
        return Metrics.model_validate_json(content) if content is not None else None
    except (ValidationError, json.JSONDecodeError):
        return None


def compare_figures(before: Metrics | None, after: Metrics) -> list[FigureChange]:
    """Return accuracy, macro F1, size and latency of each variant, beside what is published."""
    old = _figures(before) if before is not None else {}
    new = _figures(after)
    return [
        FigureChange(variant=key[0], figure=key[1], before=old.get(key), after=new.get(key))
        for key in dict.fromkeys((*new, *old))
    ]


def _figures(metrics: Metrics) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for one in metrics.variants:
        found[one.name, "accuracy"] = one.scores.accuracy
        found[one.name, "macro F1"] = one.scores.macro_f1
        found[one.name, "bytes"] = one.bytes
        found[one.name, "p50 ms"] = one.timing.p50_ms
    return found


def find_regressions(before: Metrics | None, after: Metrics) -> list[str]:
    """Return a warning for each score of the default file that fell below the published one's 95 % interval.

    The test rows may differ between releases; the warning says so then.
    """
    if before is None:
        return []
    old, new = before.variant(before.default_variant).scores, after.variant(after.default_variant).scores
    pairs = {
        "accuracy": (new.accuracy, old.accuracy, old.accuracy_interval),
        "macro F1": (new.macro_f1, old.macro_f1, old.macro_f1_interval),
    }
    rows = "" if before.data == after.data else "; the two were measured on different rows"
    return [
        f"{name} is {value:.3f}, the published release has {published:.3f} ({interval.low:.3f} to "
        f"{interval.high:.3f}){rows}"
        for name, (value, published, interval) in pairs.items()
        if value < interval.low
    ]
