"""How far a run is: a bar on a terminal, a line now and then elsewhere; both by the bytes read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 10.0  # seconds between two lines

Tell = Callable[[int, int], None]
"""Hears how many rows were written in all, and how many bytes of the inputs are read."""


@contextmanager
def show_progress(console: Console, total_bytes: int, every: float = EVERY) -> Iterator[Tell]:
    """Yield what is told of every part."""
    if not console.is_terminal:
        yield _lines(console, total_bytes, every)
        return
    columns = (BarColumn(), TextColumn("{task.fields[rows]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        yield _bar(progress, total_bytes)


def _bar(progress: Progress, total_bytes: int) -> Tell:
    started = time.monotonic()

    def tell(rows: int, read: int) -> None:
        words = f"{rows:,} rows, {rows / (time.monotonic() - started):,.0f} rows/s"
        if not progress.task_ids:  # only now: what a resumed run skips tells nothing of its speed
            progress.add_task("", total=total_bytes, completed=read, rows=words)
        progress.update(progress.task_ids[0], completed=read, rows=words)

    return tell


def _lines(console: Console, total_bytes: int, every: float) -> Tell:
    started = told = time.monotonic()
    first: tuple[float, int] | None = None

    def tell(rows: int, read: int) -> None:
        nonlocal told, first
        now = time.monotonic()
        first = first or (now, read)
        if now - told < every:
            return
        told = now
        rate = (read - first[1]) / (now - first[0]) if now > first[0] else 0.0
        left = f", {max(0.0, total_bytes - read) / rate:.0f} s left" if rate else ""
        share = f"{read / total_bytes:.0%}" if total_bytes else "?"
        words = f"{rows:,} rows, {rows / (now - started):,.0f} rows/s, {share} read{left}"
        console.print(words, markup=False, soft_wrap=True)

    return tell
