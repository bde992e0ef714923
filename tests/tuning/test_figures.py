from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuning.samples import RATE, ROWS, make_report
from tuning.figures import (
    draw_figures,
    draw_history,
    draw_importance,
    draw_parallel,
    draw_slices,
    place_values,
)


def test_four_figures_are_drawn_and_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    files = draw_figures(make_report(), tmp_path / "figures")
    names = ["history.png", "importance.png", "parallel.png", "slices.png"]
    assert sorted(file.name for file in files) == names
    again = draw_figures(make_report(), tmp_path / "again")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


def test_importance_is_left_out_where_it_cannot_be_told(tmp_path: Path) -> None:
    files = draw_figures(make_report(importances={}), tmp_path)
    assert sorted(file.name for file in files) == ["history.png", "parallel.png", "slices.png"]


def test_values_stand_on_an_axis_as_they_are_drawn() -> None:
    report = make_report()
    rate, rows = place_values(report, RATE), place_values(report, ROWS)
    assert rate.places[0] == pytest.approx(0) and rate.places[3] == pytest.approx(1)
    assert 0.5 < rate.places[1] < rate.places[4] < rate.places[2] < 1  # by the logarithm
    assert list(rate.ticks.values()) == ["1e-06", "7.07e-05", "0.005"]
    assert rows.places == [1, 0, 1, 1, 0] and rows.ticks == {0: "4", 1: "8"}


def test_history_has_the_best_so_far_and_the_recipe_as_it_is() -> None:
    (axes,) = draw_history(make_report()).axes
    done, stopped, best, start = axes.get_lines()
    assert list(done.get_xdata()) == [1, 2, 3, 5] and list(stopped.get_xdata()) == [4]
    assert list(best.get_ydata()) == [0.61, 0.70, 0.70, 0.74, 0.74] and max(best.get_xdata()) == 5
    assert start.get_ydata()[0] == pytest.approx(0.67)


def test_importance_shows_the_most_important_key_on_top() -> None:
    (axes,) = draw_importance(make_report()).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [ROWS, RATE]


def test_every_key_has_a_slice_and_an_axis() -> None:
    slices = [axes.get_xlabel() for axes in draw_slices(make_report()).axes if axes.get_visible()]
    assert slices == ["learning_rate", "batch_size"]
    (axes,) = draw_parallel(make_report()).axes
    told = [label.get_text().replace("\n", "_") for label in axes.get_xticklabels()]
    assert told == ["learning_rate", "batch_size", "macro F1"]
    assert sum(len(line.get_xdata()) == 3 for line in axes.get_lines()) == 5


def test_one_trial_is_enough_to_draw(tmp_path: Path) -> None:
    report = make_report()
    only = report.model_copy(update={"trials": report.trials[:1], "importances": {}})
    assert len(draw_figures(only, tmp_path)) == 3
