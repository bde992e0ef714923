from __future__ import annotations

from dataclasses import replace

from model_card.measure.metrics_file import Metrics, VariantFigures
from publishing.comparison import compare_figures, find_regressions, read_published
from tests.model_card.samples import make_metrics


def worse(metrics: Metrics, share: float) -> Metrics:
    """Return the figures with the default file's scores lowered to a share of what they are."""

    def lower(one: VariantFigures) -> VariantFigures:
        scores = replace(
            one.scores, accuracy=one.scores.accuracy * share, macro_f1=one.scores.macro_f1 * share
        )
        return one.model_copy(update={"scores": scores}) if one.name == metrics.default_variant else one

    return metrics.model_copy(update={"variants": [lower(one) for one in metrics.variants]})


def test_a_release_that_is_worse_than_the_interval_allows_is_warned_of() -> None:
    published = make_metrics()
    assert find_regressions(None, published) == find_regressions(published, published) == []
    assert find_regressions(published, worse(published, 0.999)) == []
    accuracy, macro_f1 = find_regressions(published, worse(published, 0.8))
    scores = published.variant("quantized").scores
    assert accuracy == (
        f"accuracy is {0.8 * scores.accuracy:.3f}, the published release has {scores.accuracy:.3f} "
        f"({scores.accuracy_interval.low:.3f} to {scores.accuracy_interval.high:.3f})"
    )
    assert macro_f1.startswith("macro F1 is ")
    other_rows = published.model_copy(update={"data": replace(published.data, fingerprints={"test": "1"})})
    assert find_regressions(other_rows, worse(published, 0.8))[0].endswith("measured on different rows")


def test_figures_stand_beside_those_that_are_published() -> None:
    published = make_metrics()
    changes = compare_figures(published, worse(published, 0.8))
    changed = [(one.variant, one.figure) for one in changes if one.before != one.after]
    assert changed == [("quantized", "accuracy"), ("quantized", "macro F1")]
    assert {one.figure for one in changes} == {"accuracy", "macro F1", "bytes", "p50 ms"}
    assert all(one.before is None for one in compare_figures(None, published))
    assert read_published(b"{}") is None and read_published(None) is None
    assert read_published(published.model_dump_json().encode()) == published
