"""How long texts take on one thread, one by one and all together."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from model_card.measure.metrics_file import Timing
from model_card.measure.predictors import Predict

WARM_UP = 20  # texts before the clock starts


def time_texts(predict: Predict, texts: list[str], one_by_one: int) -> Timing:
    """Time the first `one_by_one` texts alone, then all of them in batches, on one thread."""
    chosen = texts[:one_by_one]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for text in chosen[:WARM_UP]:
            predict([text])
        took = [_clock(predict, [text]) for text in chosen]
        together = _clock(predict, texts)
    finally:
        torch.set_num_threads(threads)
    p50, p99 = np.quantile(took, [0.5, 0.99]) * 1000
    return Timing(
        texts=len(chosen),
        threads=1,
        p50_ms=float(p50),
        p99_ms=float(p99),
        texts_a_second=len(texts) / together,
    )


def _clock(predict: Predict, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    predict(texts)
    return time.perf_counter() - started
