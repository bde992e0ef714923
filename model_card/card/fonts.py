"""Fonts that can draw the names of the labels, of those that are installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain

from matplotlib.font_manager import FontEntry, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

from finsent.cli import say

FIRST = "DejaVu Sans"  # comes with matplotlib
BOXES = "Last Resort"  # comes with matplotlib, too, and has a box for every letter


@dataclass(frozen=True)
class Fonts:
    """Families in the order in which a letter is looked for, and the letters that none of them has."""

    families: list[str]
    missing: frozenset[str]


def choose_fonts(texts: Sequence[str]) -> Fonts:
    """Return fonts for all texts, and say what no installed font can draw."""
    families, missing = [FIRST], {letter for text in texts for letter in text if letter.isprintable()}
    for entry in chain(_list_fonts(), _list_new_fonts()):
        if not missing:
            break
        letters = _read_letters(entry.fname) if _is_drawn(entry) else frozenset()
        if found := {letter for letter in missing if ord(letter) in letters}:
            families += [] if entry.name == FIRST else [entry.name]
            missing -= found
    if missing:
        say(
            f"figures: no installed font has {' '.join(sorted(missing)[:10])}; labels with them are "
            "drawn as their number. Install a font of that script (Debian: fonts-noto-core, fonts-noto-cjk)"
        )
    return Fonts(families, frozenset(missing))


def drawable(label: str, number: int, fonts: Fonts) -> str:
    """Return a label, or where no font has it, its number, by which the card's table of labels names it."""
    return f"label {number}" if set(label) & fonts.missing else label


def _list_fonts() -> Iterator[FontEntry]:
    """Yield upright fonts of usual weight, the first choice first, then by name, so that runs agree."""
    known = sorted(fontManager.ttflist, key=lambda one: (one.name != FIRST, one.name, one.fname))
    usual = [one for one in known if one.style == "normal" and one.weight in (400, "normal")]
    yield from (one for one in usual if not one.name.startswith(BOXES))


def _is_drawn(entry: FontEntry) -> bool:
    """Tell whether matplotlib draws with this file; another one of the same name may have fewer letters."""
    drawn = fontManager.findfont(entry.name, fallback_to_default=False, rebuild_if_missing=False)
    return str(drawn) == entry.fname


def _list_new_fonts() -> Iterator[FontEntry]:
    """Yield fonts that were installed since matplotlib listed them, which it does once."""
    known = {one.fname for one in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        with suppress(OSError, RuntimeError):  # some hold pictures, which cannot be drawn here
            fontManager.addfont(path)
            yield fontManager.ttflist[-1]


@cache
def _read_letters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())
