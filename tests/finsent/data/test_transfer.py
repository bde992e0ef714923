from __future__ import annotations

from dataclasses import replace

import pytest

from finsent.data.report import DataReport
from finsent.data.rows import Row
from finsent.data.splits import Splits
from finsent.data.transfer import draw_transfer

REPORT = DataReport({}, {}, 0, 0, 0, 0, {}, {}, {})


def row(text: str) -> Row:
    return Row(text, "positive", "rows", "train")


@pytest.fixture
def splits() -> Splits:
    return Splits(
        [row("Arvo profit rose")],
        [row("Belmi sales fell in the last quarter of the year")],
        [row("Cando opens a lease in the middle of Turku")],
        REPORT,
    )


def test_neither_copies_nor_texts_near_to_held_out_rows_are_drawn(splits: Splits) -> None:
    texts = [
        "ARVO PROFIT ROSE.",  # a training row
        "Dorsk raises its forecast",
        "Dorsk raises its forecast!",  # a copy of the one before
        "Belmi sales fell in the last quarter of that year",  # near a validation row
        "Cando opens a lease in the middle of Turku",  # a test row
        "Elbin buys a bank",
        "",
    ]
    found = draw_transfer(texts, splits, 10, 0.7, seed=1)
    assert sorted(found.texts) == ["Dorsk raises its forecast", "Elbin buys a bank"]
    assert (found.repeated, found.near) == (4, 1)
    assert draw_transfer(texts, splits, 10, 1.0, seed=1).near == 0


def test_the_seed_draws_and_never_more_than_asked(splits: Splits) -> None:
    texts = [f"Fynto sold {number} ships" for number in range(40)]
    first, again, other = (draw_transfer(texts, splits, 5, 1.0, seed) for seed in (1, 1, 2))
    assert first == again
    assert len(first.texts) == len(set(first.texts)) == 5
    assert first.texts != other.texts
    assert draw_transfer(texts, replace(splits, train=[]), 0, 1.0, 1).texts == []
