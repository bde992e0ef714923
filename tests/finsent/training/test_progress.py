from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from finsent.training import progress
from finsent.training.progress import TrainingProgress


@pytest.fixture
def arguments(tmp_path: Path) -> tuple[TrainingArguments, TrainerState, TrainerControl]:
    """What the Trainer hands to a callback at step 4 of 10."""
    return TrainingArguments(str(tmp_path)), TrainerState(global_step=4, max_steps=10), TrainerControl()


def test_a_validation_is_one_line_on_stderr(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown, state = TrainingProgress(), arguments[1]
    shown.on_train_begin(*arguments)
    shown.on_evaluate(*arguments, metrics={"eval_macro_f1": 0.5})
    state.log_history = [{"loss": 0.9}, {"eval_macro_f1": 0.5}, {"loss": 0.25}, {"eval_macro_f1": 0.7512}]
    state.global_step = 8
    shown.on_step_end(*arguments)
    shown.on_evaluate(*arguments, metrics={"eval_macro_f1": 0.7512})
    shown.on_train_end(*arguments)
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "  step 4/10: validation macro F1 0.500",
        "  step 8/10: loss 0.250, validation macro F1 0.751",
    ]
    assert told.out == ""


def test_a_bar_goes_on_at_the_step_that_training_does(
    arguments: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bar:
        disable = False

        def __init__(self, total: int, initial: int, **_: object) -> None:
            self.total, self.n = total, initial

        def update(self, steps: int) -> None:
            self.n += steps

    monkeypatch.setattr(progress, "tqdm", Bar)
    shown = TrainingProgress()
    shown.on_train_begin(*arguments)
    for step in (5, 7):
        arguments[1].global_step = step
        shown.on_step_end(*arguments)
        assert (shown._bar.n, shown._bar.total) == (step, 10)


def test_a_long_training_says_once_how_long_it_will_take(
    arguments: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 110.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    shown, state = TrainingProgress(), arguments[1]
    shown.on_train_begin(*arguments)
    state.max_steps = 1025
    for step in range(5, 60):
        state.global_step = step
        shown.on_step_end(*arguments)
    assert capsys.readouterr().err.splitlines() == ["  about 8 min to go: 1,000 steps of 0.50 s"]


def test_a_short_training_does_not(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown, state = TrainingProgress(), arguments[1]
    shown.on_train_begin(*arguments)
    for step in range(5, 60):
        state.global_step, state.max_steps = step, 100
        shown.on_step_end(*arguments)
    assert capsys.readouterr().err == ""
