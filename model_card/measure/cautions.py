"""What a reader should know before using a release, in sentences for card and console."""

from __future__ import annotations

from finsent.cautions import find_label_cautions, find_unknown_caution, percent
from model_card.measure.metrics_file import Metrics, TextResults


def list_cautions(metrics: Metrics) -> list[str]:
    """Return a sentence a caution; none where nothing is unusual."""
    names = list(metrics.variant(metrics.default_variant).scores.per_class)
    told = find_label_cautions(metrics.data.labels, names)
    if metrics.texts is None:
        return told
    return [*told, *find_unknown_caution(metrics.texts.scripts), *_find_cut_caution(metrics.texts)]


def tell_conditions(metrics: Metrics) -> list[str]:
    """Return what stands below the figures of a run: its memory, why it is weak, what to know about it."""
    peak = metrics.peak_memory_bytes
    return [
        *([] if peak is None else [f"peak memory {peak / 1e9:.1f} GB"]),
        *(f"weak: {told}" for told in metrics.weak),
        *(f"caution: {told}" for told in list_cautions(metrics)),
    ]


def _find_cut_caution(texts: TextResults) -> list[str]:
    if not texts.cut:
        return []
    share = percent(texts.cut / texts.rows)
    told = f"{share} of the test rows ({texts.cut:,}) are cut after {texts.bound:,} characters"
    if texts.accuracy_cut is None or texts.accuracy_whole is None:
        return [f"{told}; the rest has no effect."]
    cut, whole = percent(texts.accuracy_cut), percent(texts.accuracy_whole)
    return [f"{told}: accuracy {cut} on these, {whole} on the others."]
