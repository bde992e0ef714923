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
    """Return how many of each kind are drawn: its share, the largest rests rounded up, at least one."""
    total = sum(sizes.values())
    quotas = {kind: size * count // total for kind, size in sizes.items()}
    by_rest = sorted(sizes, key=lambda kind: -(sizes[kind] * count % total))
    for kind in by_rest[: count - sum(quotas.values())]:
        quotas[kind] += 1
    for kind in [kind for kind, quota in quotas.items() if quota == 0 and count >= len(sizes)]:
        quotas[max(quotas, key=lambda one: quotas[one])] -= 1
        quotas[kind] = 1
    return quotas
