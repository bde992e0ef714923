"""Spliced copies of texts, for a teacher to label: the head of one and the tail of another.

Two texts are cut where they have the same word: "Arvo wins an order | after a strike" and "Belmi falls |
after weak sales" give "Arvo wins an order after weak sales". Most copies read naturally, unlike those of
`finsent.training.augmentation`, and put known words beside new ones.
"""

from __future__ import annotations

from array import array

import numpy as np

from finsent.scoring import Ints


def splice(texts: list[str], copies: int, seed: int) -> list[str]:
    """Return up to `copies` splices that begin as each text does, copy by copy; the same seed gives the same.

    The cut is at a word inside both texts, drawn evenly from those that another text has, too.
    """
    if not copies:
        return []
    draw = np.random.default_rng(seed)
    cuts = _Cuts(texts)
    made = (_splice(texts, number, cuts, draw) for _ in range(copies) for number in range(len(texts)))
    return [text for text in made if text is not None]


class _Cuts:
    """Where every word stands inside texts, in arrays: a million texts have too many places for objects."""

    def __init__(self, texts: list[str]) -> None:
        numbers: dict[str, int] = {}
        words, owners, places = array("i"), array("i"), array("i")
        for owner, text in enumerate(texts):
            for place, word in enumerate(text.lower().split()[1:-1], 1):
                words.append(numbers.setdefault(word, len(numbers)))
                owners.append(owner)
                places.append(place)
        order = np.argsort(np.array(words), kind="stable")
        self.numbers = numbers
        self.owners, self.places = np.array(owners)[order], np.array(places)[order]
        self.starts = np.searchsorted(np.array(words)[order], np.arange(len(numbers) + 1))

    def draw_other(self, word: str, owner: int, draw: np.random.Generator) -> tuple[int, int] | None:
        """Return another text with a word inside, and the place of it there; None where no other has it."""
        number = self.numbers[word]
        start, end = self.starts[number], self.starts[number + 1]
        owners: Ints = self.owners[start:end]  # in order
        if owners[0] == owners[-1] == owner:
            return None
        while owners[at := draw.integers(len(owners))] == owner:
            pass
        return int(owners[at]), int(self.places[start + at])


def _splice(texts: list[str], number: int, cuts: _Cuts, draw: np.random.Generator) -> str | None:
    own = texts[number].split()
    for place in (1 + draw.permutation(max(len(own) - 2, 0))).tolist():
        if found := cuts.draw_other(own[place].lower(), number, draw):
            other, theirs = found
            return " ".join(own[:place] + texts[other].split()[theirs:])
    return None
