from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.tuning import samples
from tests.tuning.samples import RATE, ROWS, make_trial
from tuning.progress import TrialTable, best_of


def test_on_a_terminal_a_table_shows_the_last_trials_the_best_and_the_one_that_runs(
    tmp_path: Path, tiny_base: Path
) -> None:
    search, _ = samples.read_search(tmp_path, tiny_base, trials=12)
    trials = [make_trial(1, 0.9), *(make_trial(number, 0.5) for number in range(2, 12))]
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with TrialTable(search, trials, 0, console) as table:
        table.begin(12, {RATE: 2.5e-4, ROWS: 4})
        table.note(50, 0.61)
        shown = [str(cell) for cell in table.render().columns[0].cells]
        assert shown == ["1", *map(str, range(4, 12)), "12"]
        assert "50 %" in list(table.render().columns[2].cells)
        table.finish(make_trial(12, 0.95, stopped=True))
    told = screen.getvalue()
    assert "tiny-search: 12 of 12 trials" in told and "learning_rate" in told and "stopped early" in told


def test_in_a_log_every_trial_has_a_line(
    tmp_path: Path, tiny_base: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    search, _ = samples.read_search(tmp_path, tiny_base)
    with TrialTable(search, [make_trial(1, 0.5)], 1, Console(stderr=True)) as table:
        table.begin(2, {RATE: 1e-3, ROWS: 8})
        table.finish(make_trial(2, 0.4, rate=1e-3, stopped=True))
    told = capfd.readouterr().err
    assert "going on: 1 of 3 trials are done, 1 that was cut off is repeated" in told
    assert (
        "  trial 2 of 3: macro F1 0.400, stopped at 50 % (best 0.500, trial 1): learning_rate 0.001, " in told
    )


def test_a_trial_that_was_stopped_is_never_the_best() -> None:
    assert best_of([make_trial(1, 0.9, stopped=True)]) is None
    found = best_of([make_trial(1, 0.9, stopped=True), make_trial(2, 0.3)])
    assert found is not None and found.number == 2
