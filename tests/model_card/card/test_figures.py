from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from finsent.release import CONFUSION_FIGURE, COVERAGE_FIGURE, RELIABILITY_FIGURE
from model_card.card.figures import (
    draw_confusion,
    draw_coverage,
    draw_figures,
    draw_reliability,
    wilson_errors,
)
from model_card.measure.metrics_file import Metrics
from tests.model_card.samples import make_abstention, make_metrics, make_scores


def test_same_figures_give_the_same_bytes(metrics: Metrics, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    draw_figures(metrics, tmp_path / "a")
    draw_figures(metrics, tmp_path / "b")
    for name in (CONFUSION_FIGURE, RELIABILITY_FIGURE, COVERAGE_FIGURE):
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert b"tEXt" not in content.replace(b"tEXtSource", b"")
        height, width = imread(tmp_path / "a" / name).shape[:2]
        assert 700 <= width <= 1400 and 600 <= height <= 1400
    assert dict(matplotlib.rcParams) == before


def test_every_cell_of_the_confusion_is_written() -> None:
    scores = make_scores(3, 400, 1.0)
    written = [text.get_text() for text in draw_confusion(scores, "model.onnx").axes[0].texts]
    counts = np.array(scores.confusion)
    assert [text.split("\n")[0] for text in written] == [f"{count:,}" for count in counts.ravel()]
    assert written[0].endswith(f"{100 * counts[0, 0] / counts[0].sum():.1f} %")


def test_the_threshold_is_marked_on_the_curve(metrics: Metrics) -> None:
    found = metrics.abstention
    assert found is not None and found.test is not None
    curve, _, point = draw_coverage(found, metrics.variant("quantized")).axes[0].lines
    assert list(curve.get_xdata()) == found.curve.coverage and list(curve.get_ydata()) == found.curve.error
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (found.test.coverage, found.test.error)


def test_without_a_threshold_the_curve_stands_alone(tmp_path: Path) -> None:
    metrics = make_metrics(abstention=make_abstention(skill=0.2, target_error=0.01))
    draw_figures(metrics, tmp_path)
    assert (tmp_path / COVERAGE_FIGURE).is_file()
    draw_figures(make_metrics(abstention=None), tmp_path / "older")
    assert not (tmp_path / "older" / COVERAGE_FIGURE).exists()


def test_empty_bins_and_dollars_do_no_harm(tmp_path: Path) -> None:
    scores = make_scores(3, 12, 1.0)
    classes = dict(zip("$a", scores.per_class.values(), strict=False))
    named = type(scores)(**{**vars(scores), "per_class": classes})
    draw_confusion(named, "a$b$c").savefig(tmp_path / "figure.png")
    upper = draw_reliability(scores, "model.onnx").axes[0]
    filled = sum(count > 0 for count in scores.reliability.count)
    assert len(upper.lines[1].get_xdata()) == filled


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_wilson_interval_stays_between_0_and_1(share: float) -> None:
    below, above = wilson_errors(np.array([share]), np.array([10]))[:, 0]
    assert 0 <= share - below <= share + above <= 1 + 1e-9
    assert below + above > 0.2
