"""How long it is likely to take to measure all files; on a terminal a bar shows them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

from finsent.cli import WORTH_TELLING, say, tell_seconds
from model_card.measure.predictors import Predict

Item = TypeVar("Item")
TRIES = 3
PASSES = 3  # over the rows, by each file: its scores, its throughput, and alone against in a batch


def tell_pace(predict: Predict, texts: Sequence[str], batch_size: int, alone: int, files: int) -> None:
    """Time a batch and a single text, and say how long `files` will take at this pace if that is long.

    Every file reads all texts in batches and up to `alone` of them one by one. `predict` sets the pace of all
    files, although ONNX files are faster; loading them is not counted.
    """
    by_length = sorted(texts, key=len)
    start = max(0, (len(by_length) - batch_size) // 2)
    batch, single = by_length[start : start + batch_size], by_length[len(by_length) // 2]
    a_batch, a_text = _seconds(predict, batch), _seconds(predict, [single])
    one_file = PASSES * a_batch * len(texts) / len(batch) + a_text * min(alone, len(texts))
    if (seconds := files * one_file) > WORTH_TELLING:
        say(f"  at most about {tell_seconds(seconds)} for {files} files, then baselines and explanations")


def show_files(files: Iterable[Item], count: int) -> Iterator[Item]:
    """Yield the files; on a terminal a bar shows how many are measured, and the time left."""
    hidden = not sys.stderr.isatty()
    yield from tqdm(files, total=count, unit="file", file=sys.stderr, disable=hidden, leave=False)


def _seconds(predict: Predict, texts: Sequence[str]) -> float:
    """Return the shortest of a few tries: the first one warms up, and others may be held up by other work."""
    took = []
    for _ in range(TRIES):
        started = time.perf_counter()
        predict(texts)
        took.append(time.perf_counter() - started)
    return min(took)
