from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finsent.pretraining.masking import IGNORED, Frame, choose_words, mask_words

FRAME = Frame(first=2, last=3, mask=4, ordinary=np.arange(5, 1000, dtype=np.int32))
SEEDS = st.integers(0, 10**6)
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def sequence(seed: int, size: int = 126) -> tuple[np.ndarray, np.ndarray]:
    """Words of one to four tokens, with a separator now and then."""
    draw = np.random.default_rng(seed)
    starts = np.repeat(True, size)
    starts[1:] = draw.random(size - 1) < 0.6
    ids = draw.integers(5, 1000, size).astype(np.int32)
    ids[starts & (draw.random(size) < 0.05)] = FRAME.last
    starts[1:] |= ids[:-1] == FRAME.last  # a separator is a word of its own
    return ids, starts


@quick
@given(seed=SEEDS)
def test_labels_give_the_sequence_back_and_the_frame_stays(seed: int) -> None:
    ids, starts = sequence(seed)
    made = mask_words(ids, starts, np.random.default_rng(seed), frame=FRAME, noise=0.15)
    inputs, labels = made["input_ids"], made["labels"]
    assert (inputs[0], inputs[-1], labels[0], labels[-1]) == (FRAME.first, FRAME.last, IGNORED, IGNORED)
    assert np.array_equal(np.where(labels == IGNORED, inputs, labels)[1:-1], ids)
    assert not np.isin(labels, [FRAME.first, FRAME.last]).any()


@quick
@given(seed=SEEDS, noise=st.floats(0.05, 0.5))
def test_words_are_masked_whole_and_as_near_to_the_share_as_words_allow(seed: int, noise: float) -> None:
    ids, starts = sequence(seed)
    maskable = ids != FRAME.last
    chosen = choose_words(starts, maskable, noise, np.random.default_rng(seed))
    words = np.cumsum(starts)
    for word in np.unique(words[maskable]):
        assert len(np.unique(chosen[(words == word) & maskable])) == 1
    longest = np.bincount(words[maskable]).max()
    assert abs(chosen.sum() - noise * maskable.sum()) <= max(longest / 2, 1)


def test_the_share_of_noise_and_of_each_fate_is_that_of_the_paper() -> None:
    told = masked = kept = total = 0
    for seed in range(400):
        ids, starts = sequence(seed)
        made = mask_words(ids, starts, np.random.default_rng(seed), frame=FRAME, noise=0.15)
        labels, inputs = made["labels"][1:-1], made["input_ids"][1:-1]
        chosen = labels != IGNORED
        total += int((ids != FRAME.last).sum())
        told += int(chosen.sum())
        masked += int((inputs[chosen] == FRAME.mask).sum())
        kept += int((inputs[chosen] == ids[chosen]).sum())
    assert told / total == pytest.approx(0.15, abs=0.01)
    assert masked / told == pytest.approx(0.8, abs=0.02)
    assert kept / told == pytest.approx(0.1, abs=0.02)


def test_a_sequence_of_separators_has_nothing_to_tell() -> None:
    ids = np.full(8, FRAME.last, np.int32)
    made = mask_words(ids, np.repeat(True, 8), np.random.default_rng(0), frame=FRAME, noise=0.15)
    assert (made["labels"] == IGNORED).all()


def test_a_separator_inside_a_word_is_not_masked() -> None:
    starts, maskable = np.array([True, False, False]), np.array([True, False, True])
    chosen = choose_words(starts, maskable, 0.9, np.random.default_rng(0))
    assert chosen.tolist() == [True, False, True]
