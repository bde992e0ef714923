"""Which texts are too near to rows that figures are of to be learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finsent.data.near_duplicates import connect, find_near_duplicates
from finsent.text import comparable


def find_near(texts: Sequence[str], held_out: Sequence[str], threshold: float) -> list[int]:
    """Return the positions of texts that are a copy of a held-out one, or nearly one.

    A text that is near to a near one counts too, as in the splits (`finsent.data.splits`, rule 2).
    """
    keys = [comparable(text) or text for text in (*held_out, *texts)]
    component = connect(np.concatenate([_copies(keys), find_near_duplicates(keys, threshold)]), len(keys))
    unseen = np.isin(component[len(held_out) :], component[: len(held_out)], invert=True)
    return [int(position) for position in np.flatnonzero(~unseen)]


def _copies(keys: list[str]) -> np.typing.NDArray[np.int64]:
    first: dict[str, int] = {}
    pairs = [(first.setdefault(key, position), position) for position, key in enumerate(keys)]
    return np.array(pairs, np.int64).reshape(-1, 2)
