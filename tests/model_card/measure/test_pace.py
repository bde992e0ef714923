from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from finsent.scoring import Floats
from model_card.measure import pace
from model_card.measure.pace import show_files, tell_pace

TEXTS = [f"row {n} " * (n % 5 + 1) for n in range(640)]


class Clock:
    """A clock that only predictions move: so many seconds a call, and a hundredth of them a text.

    The first call of a kind takes ten times as long.
    """

    def __init__(self, seconds: float) -> None:
        self.now, self._seconds, self._warm = 0.0, seconds, set[int]()

    def predict(self, texts: Sequence[str]) -> Floats:
        took = self._seconds * (1 + len(texts) / 100)
        self.now += took if len(texts) in self._warm else 10 * took
        self._warm.add(len(texts))
        return np.zeros((len(texts), 2))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        # 3 files: each 3 passes of 20 batches of 32 at 1.32 s, and 100 texts alone at 1.01 s
        (1.0, ["  at most about 9 min for 3 files, then baselines and explanations"]),
        (0.15, ["  at most about 81 s for 3 files, then baselines and explanations"]),
        (0.1, []),
    ],
)
def test_a_long_measuring_says_how_long_it_will_take(
    seconds: float, told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(seconds)
    monkeypatch.setattr(pace.time, "perf_counter", lambda: clock.now)
    tell_pace(clock.predict, TEXTS, batch_size=32, alone=100, files=3)
    assert capsys.readouterr().err.splitlines() == told


def test_fewer_rows_than_a_batch_are_timed_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(20)
    monkeypatch.setattr(pace.time, "perf_counter", lambda: clock.now)
    tell_pace(clock.predict, ["one", "two"], batch_size=32, alone=300, files=2)
    assert "at most about 3 min for 2 files" in capsys.readouterr().err


@pytest.mark.parametrize("is_terminal", [True, False])
def test_files_are_shown_on_a_terminal_alone(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    assert list(show_files("abc", 3)) == ["a", "b", "c"]
    assert ("0/3" in screen.getvalue()) is is_terminal
