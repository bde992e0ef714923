"""What a person sees while many rows are read: a counter on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from finsent.cli import say

Item = TypeVar("Item")
ROWS_A_LINE = 250_000


def count_aloud(title: str, items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items and tell how many there were by now; nothing is said of a few."""
    shown = sys.stderr.isatty()
    bar = tqdm(
        desc=title, unit=" rows", unit_scale=True, file=sys.stderr, disable=not shown, leave=False, delay=2
    )
    with bar:
        for number, item in enumerate(items, 1):
            if not shown and number % ROWS_A_LINE == 0:
                say(f"  {title}: {number:,} rows read")
            elif shown and number % 1000 == 0:
                bar.update(1000)
            yield item
