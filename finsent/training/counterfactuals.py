"""Copies of texts that say the opposite, for a teacher to label: "loss narrowed" beside "loss widened".

One word of a text becomes its opposite, or two figures that follow each other change places. A student that
has a teacher's answer to both sides learns which word decided (counterfactual augmentation, after
https://arxiv.org/abs/1909.12434, where people wrote the other side).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from finsent.recipe.recipe import WORD

FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")


def turn_around(texts: Sequence[str], opposites: Sequence[tuple[str, str]], seed: int) -> list[str]:
    """Return a copy of every text that can be turned around, with one change drawn at random.

    `opposites` are pairs of words, in lower case; without any, no text is copied. A new word has the capitals
    of the old one.
    """
    if not opposites:
        return []
    draw, turned = np.random.default_rng(seed), dict(opposites)
    turned |= {second: first for first, second in opposites}
    copies = [[*_words(text, turned), *_figures(text)] for text in texts]
    return [found[draw.integers(len(found))] for found in copies if found]


def _words(text: str, turned: Mapping[str, str]) -> Iterator[str]:
    for match in WORD.finditer(text):
        if opposite := turned.get(match[0].lower()):
            yield text[: match.start()] + _with_capitals(opposite, match[0]) + text[match.end() :]


def _with_capitals(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[0].upper() + word[1:] if like[0].isupper() else word


def _figures(text: str) -> Iterator[str]:
    for first, second in pairwise(FIGURE.finditer(text)):
        if first[0] != second[0]:
            between = text[first.end() : second.start()]
            yield text[: first.start()] + second[0] + between + first[0] + text[second.end() :]
