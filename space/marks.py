"""The sign and the colour of each label: those of its tone, or plain ones that judge nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from words import read_words

PLAIN_COLOURS = 6  # --fs-plain-0 and on, in style.css


@dataclass(frozen=True)
class Mark:
    """A sign, and the kind of label that style.css has a colour for."""

    sign: str
    kind: str


Marks = Mapping[str, Mark]


def make_marks(labels: Sequence[str], tones: Mapping[str, str]) -> Marks:
    """Return the mark of each label; `tones` says which of them are good, bad or neither.

    Labels without a tone take the plain colours in turn, and another sign once all colours are taken.
    """
    plain = [label for label in labels if label not in tones]
    toned = {
        label: Mark(read_words()["signs"][tones[label]], tones[label]) for label in labels if label in tones
    }
    return {label: toned.get(label) or _make_plain(plain.index(label)) for label in labels}


def _make_plain(number: int) -> Mark:
    signs = read_words()["plain_signs"]
    return Mark(signs[number // PLAIN_COLOURS % len(signs)], f"plain-{number % PLAIN_COLOURS}")


def unsure_mark() -> Mark:
    """Return the mark of an answer that is not sure."""
    return Mark(read_words()["signs"]["unsure"], "unsure")
