"""What a person reads of a release that was just made: a line for the whole, a line a file, conditions."""

from __future__ import annotations

from pathlib import Path

from model_card.measure.cautions import tell_conditions
from model_card.measure.metrics_file import Metrics, VariantFigures


def summarize(folder: Path, metrics: Metrics) -> str:
    """Return the release in a few lines: files, accuracy, macro F1, size, latency; memory and cautions."""
    parameters = f"{metrics.parameters / 1e6:.1f} M parameters"
    head = f"{folder}: version {metrics.version}, {parameters}, {metrics.licence}"
    conditions = (f"  {told}" for told in tell_conditions(metrics))
    return "\n".join([head, *map(_file_line, metrics.variants), *conditions])


def _file_line(one: VariantFigures) -> str:
    return (
        f"  {one.file:28s} {one.bytes / 1e6:6.1f} MB  accuracy {one.scores.accuracy:.3f}  "
        f"macro F1 {one.scores.macro_f1:.3f}  p50 {one.timing.p50_ms:.2f} ms"
    )
