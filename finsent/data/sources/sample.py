"""Drawing a part of the rows by a seed, so that every kind has the share that it has in all."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence


def draw_sample(kinds: Sequence[Hashable], count: int, seed: int) -> list[int]:
    """Return the positions of `count` rows in their order, one of each kind at least where `count` allows."""
    if count >= len(kinds):
        return list(range(len(kinds)))
    by_kind: dict[Hashable, list[int]] = defaultdict(list)
    for position, kind in enumerate(kinds):
        by_kind[kind].append(position)
    draw = random.Random(seed)
    quotas = _share_out({kind: len(found) for kind, found in by_kind.items()}, count)
    return sorted(one for kind, quota in quotas.items() for one in draw.sample(by_kind[kind], quota))


def _share_out(sizes: dict[Hashable, int], count: int) -> dict[Hashable, int]:
    """Return how many of each kind are drawn: its share, rounded so that the largest rests are rounded up."""
    total = sum(sizes.values())
    least = 1 if count >= len(sizes) else 0
    quotas = {kind: max(least, size * count // total) for kind, size in sizes.items()}
    by_rest = sorted(sizes, key=lambda kind: -(sizes[kind] * count % total))
    while (missing := count - sum(quotas.values())) != 0:
        step = 1 if missing > 0 else -1
        fitting = [kind for kind in by_rest if least <= quotas[kind] + step <= sizes[kind]]
        largest = max(fitting, key=lambda kind: quotas[kind])
        for kind in fitting[:missing] if missing > 0 else [largest]:
            quotas[kind] += step
    return quotas
