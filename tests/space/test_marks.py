from __future__ import annotations

from itertools import combinations

import pytest
from gradio_theme import read_colours
from marks import PLAIN_COLOURS, make_marks
from words import read_words

LEAST_CONTRAST = 4.5  # of text, https://www.w3.org/TR/WCAG22/#contrast-minimum


def test_a_tone_decides_and_never_the_place() -> None:
    for labels in (["ham", "spam", "other"], ["other", "spam", "ham"]):
        marks = make_marks(labels, {"ham": "good", "spam": "bad", "other": "neither"})
        assert [marks[name].kind for name in ("ham", "spam", "other")] == ["good", "bad", "neither"]
        assert [marks[name].sign for name in ("ham", "spam", "other")] == ["▲", "▼", "■"]


def test_without_a_tone_nothing_is_judged() -> None:
    marks = make_marks(["spam", "ham"], {})
    assert not {mark.sign for mark in marks.values()} & set(read_words()["signs"].values())
    assert {mark.kind for mark in marks.values()} == {"plain-0", "plain-1"}
    assert make_marks(["a", "b"], {"a": "good"})["b"].kind == "plain-0"


@pytest.mark.parametrize("count", [12, 24])
def test_many_labels_differ_in_colour_or_sign(count: int) -> None:
    marks = make_marks([f"label {number}" for number in range(count)], {})
    assert len(set(marks.values())) == count
    assert len(make_marks([str(number) for number in range(200)], {})) == 200


def test_every_colour_is_read_on_both_grounds_and_differs_from_the_others() -> None:
    kinds = ["bad", "neither", "good", *(f"plain-{number}" for number in range(PLAIN_COLOURS))]
    for colours in read_colours():
        for kind in kinds:
            for ground in ("ground", "rail") if kind.startswith("plain") else ("ground",):
                assert contrast(colours[kind], colours[ground]) >= LEAST_CONTRAST, (kind, ground)
        plain = [colours[kind] for kind in kinds if kind.startswith("plain")]
        assert min(distance(one, other) for one, other in combinations(plain, 2)) > 40


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [part / 255 for part in parts_of(colour)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def distance(one: str, other: str) -> float:
    return sum((a - b) ** 2 for a, b in zip(parts_of(one), parts_of(other), strict=True)) ** 0.5


def parts_of(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
