from __future__ import annotations

from collections import Counter

import pytest

from finsent.data.sources.sample import draw_sample

KINDS = ["a"] * 700 + ["b"] * 290 + ["c"] * 10


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (100, {"a": 70, "b": 29, "c": 1}),
        (10, {"a": 6, "b": 3, "c": 1}),
        (3, {"a": 1, "b": 1, "c": 1}),
        (2, {"a": 1, "b": 1}),
        (999, {"a": 699, "b": 290, "c": 10}),
        (1000, {"a": 700, "b": 290, "c": 10}),
        (5000, {"a": 700, "b": 290, "c": 10}),
    ],
)
def test_kinds_keep_their_shares_and_none_is_lost(count: int, expected: dict[str, int]) -> None:
    drawn = draw_sample(KINDS, count, seed=1)
    assert Counter(KINDS[at] for at in drawn) == expected
    assert drawn == sorted(set(drawn))


def test_the_seed_decides_which(count: int = 50) -> None:
    assert draw_sample(KINDS, count, 1) == draw_sample(KINDS, count, 1) != draw_sample(KINDS, count, 2)
