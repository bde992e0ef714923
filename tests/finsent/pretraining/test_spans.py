from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finsent.pretraining.spans import corrupt, draw_gaps, plan_spans, restore

END = 1
SENTINELS = list(range(9999, 9000, -1))
SEEDS = st.integers(0, 10**6)
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(("length", "raw", "targets"), [(128, 141, 29), (256, 284, 58), (512, 568, 114)])
def test_the_lengths_are_those_of_the_paper_s_code(length: int, raw: int, targets: int) -> None:
    plan = plan_spans(length, 0.15, 3.0)
    assert (plan.raw, plan.inputs, plan.targets) == (raw, length, targets)


@pytest.mark.parametrize("length", [128, 256, 512, 1024])
def test_share_of_noise_and_mean_of_gaps_are_those_asked_for(length: int) -> None:
    plan = plan_spans(length, 0.15, 3.0)
    assert plan.noise / plan.raw == pytest.approx(0.15, abs=0.01)
    assert plan.noise / plan.gaps == pytest.approx(3.0, abs=0.1)


@quick
@given(length=st.integers(16, 600), noise=st.floats(0.05, 0.6), mean=st.floats(1, 10), seed=SEEDS)
def test_what_is_told_gives_the_sequence_back(length: int, noise: float, mean: float, seed: int) -> None:
    plan, draw = plan_spans(length, noise, mean), np.random.default_rng(seed)
    ids = draw.integers(2, 9000, plan.raw).astype(np.int32)
    in_gap = draw_gaps(plan, draw)
    made = corrupt(ids, in_gap, SENTINELS, END)
    assert (len(made["input_ids"]), len(made["labels"])) == (plan.inputs, plan.targets)
    assert plan.inputs <= length
    assert (made["input_ids"][-1], made["labels"][-1]) == (END, END)
    assert restore(made["input_ids"], made["labels"], SENTINELS) == ids.tolist()
    assert in_gap.sum() == plan.noise
    assert np.diff(in_gap.astype(int), prepend=0).tolist().count(1) == plan.gaps


def test_every_place_but_the_first_is_in_a_gap_now_and_then() -> None:
    plan, draw = plan_spans(32, 0.3, 2.0), np.random.default_rng(0)
    share = np.mean([draw_gaps(plan, draw) for _ in range(2000)], axis=0)
    assert share[0] == 0 and (share[1:] > 0.02).all()
