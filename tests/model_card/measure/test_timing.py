from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from finsent.scoring import Floats
from model_card.measure import timing
from model_card.measure.timing import WARM_UP, time_texts


@pytest.fixture
def threads() -> int:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_single_texts_and_all_of_them_are_timed_on_one_thread_after_a_warm_up(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    asked: list[list[str]] = []

    def predict(texts: Sequence[str]) -> Floats:
        assert torch.get_num_threads() == 1
        asked.append(list(texts))
        now[0] += 1.0 if len(asked) <= WARM_UP else len(texts) / 100  # the first ones are slow
        return np.zeros((len(texts), 3))

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    texts = [f"text {number}" for number in range(60)]
    found = time_texts(predict, texts, one_by_one=30)
    assert asked == [*([text] for text in texts[:WARM_UP]), *([text] for text in texts[:30]), texts]
    assert (found.texts, found.threads) == (30, 1)
    assert (found.p50_ms, found.p99_ms) == (pytest.approx(10), pytest.approx(10))
    assert found.texts_a_second == pytest.approx(100)
    assert torch.get_num_threads() == threads


def test_threads_are_given_back_when_a_prediction_fails(threads: int) -> None:
    def failing(texts: Sequence[str]) -> Floats:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        time_texts(failing, ["a"], 1)
    assert torch.get_num_threads() == threads
