"""The most memory that a process has while something is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watch_peak(read: Callable[[], float], seconds: float) -> Iterator[list[float]]:
    """The largest value of `read`, asked every so many seconds, in the list's only element."""
    peak, done = [read()], threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            peak[0] = max(peak[0], read())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
