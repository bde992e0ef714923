from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finsent.pretraining.packing import Tokens, pack

TEXTS = st.lists(st.lists(st.integers(5, 999), max_size=40), max_size=30)
END = 2
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def tokens(ids: list[int]) -> Tokens:
    return Tokens(np.array(ids, np.int32), np.array([one % 3 > 0 for one in ids], np.bool_))


@quick
@given(texts=TEXTS, size=st.integers(1, 20))
def test_every_token_stands_once_and_in_its_order(texts: list[list[int]], size: int) -> None:
    packed = pack(map(tokens, texts), END, size)
    stream = [one for text in texts for one in (*text, END)]
    assert packed.ids.ravel().tolist() == stream[: len(packed) * size]
    assert packed.left_over == len(stream) - packed.ids.size < size
    assert packed.starts.ravel().tolist() == [one == END or one % 3 > 0 for one in packed.ids.ravel()]


@quick
@given(texts=TEXTS.filter(len), size=st.integers(1, 20))
def test_padding_that_is_saved_is_that_of_texts_in_rows_of_their_own(
    texts: list[list[int]], size: int
) -> None:
    rows = [-(-(len(text) + 1) // size) * size for text in texts]
    used = sum(len(text) + 1 for text in texts)
    assert abs(pack(map(tokens, texts), END, size).padding_unpacked - (1 - used / sum(rows))) < 1e-9


def test_no_texts_fill_no_sequence() -> None:
    assert len(pack([], END, 4)) == 0
