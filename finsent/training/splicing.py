"""Spliced copies of texts, for a teacher to label: the head of one and the tail of another.

Two texts are cut where they have the same word: "Arvo wins an order | after a strike" and "Belmi falls |
after weak sales" give "Arvo wins an order after weak sales". Most copies read like news, unlike those of
`finsent.training.augmentation`, and put known words beside new ones.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

Cut = tuple[int, int]  # the number of a text, and of one of its words


def splice(texts: list[str], copies: int, seed: int) -> list[str]:
    """Return up to `copies` splices that begin as each text does, copy by copy; the same seed gives the same.

    The cut is at a word inside both texts, drawn evenly from those that another text has, too.
    """
    draw = np.random.default_rng(seed)
    words = [text.split() for text in texts]
    places: defaultdict[str, list[Cut]] = defaultdict(list)
    for number, found in enumerate(words):
        for at in range(1, len(found) - 1):
            places[found[at].lower()].append((number, at))
    made = (_splice(words, number, places, draw) for _ in range(copies) for number in range(len(texts)))
    return [text for text in made if text is not None]


def _splice(
    words: list[list[str]], number: int, places: dict[str, list[Cut]], draw: np.random.Generator
) -> str | None:
    own = words[number]
    for at in (1 + draw.permutation(max(len(own) - 2, 0))).tolist():
        cuts = places[own[at].lower()]  # by number, so the first or the last is of another text if any is
        if cuts[0][0] != number or cuts[-1][0] != number:
            other, theirs = _draw_other(cuts, number, draw)
            return " ".join(own[:at] + words[other][theirs:])
    return None


def _draw_other(cuts: list[Cut], number: int, draw: np.random.Generator) -> Cut:
    while (cut := cuts[draw.integers(len(cuts))])[0] == number:
        pass
    return cut
