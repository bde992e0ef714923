"""Perturbed copies of texts, for a teacher to label: words dropped, exchanged or replaced.

A copy need not read well. It shows a student where the teacher changes its mind, for which the labelled rows
alone are too few (after TinyBERT's data augmentation, https://arxiv.org/abs/1909.10351, but without its
language model).
"""

from __future__ import annotations

import numpy as np

RATES = {"drop": 0.08, "exchange": 0.08, "replace": 0.12}  # of the words, each


def augment(texts: list[str], copies: int, seed: int) -> list[str]:
    """Return `copies` augmentations of every text, copy by copy; the same seed gives the same ones.

    Words that replace others are drawn from all texts, so as often as they are used there.
    """
    draw = np.random.default_rng(seed)
    words = np.array([word for text in texts for word in text.split()], dtype=object)
    return [_perturb(text, words, draw) for _ in range(copies) for text in texts]


def _perturb(text: str, pool: np.typing.NDArray[np.object_], draw: np.random.Generator) -> str:
    words = text.split()
    chance = draw.random(len(words))
    drop, exchange, replace = np.cumsum([RATES["drop"], RATES["exchange"], RATES["replace"]])
    for index in range(len(words)):
        if drop <= chance[index] < exchange and index:
            words[index - 1], words[index] = words[index], words[index - 1]
        elif exchange <= chance[index] < replace:
            words[index] = str(pool[draw.integers(len(pool))])
    kept = [word for word, value in zip(words, chance, strict=True) if value >= drop]
    return " ".join(kept) or text
