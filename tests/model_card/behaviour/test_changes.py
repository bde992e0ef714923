"""The changes leave a sentence true, and every one of them differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from model_card.behaviour import changes
from model_card.behaviour.changes import Sentence

EXAMPLE = Sentence("Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1", "Vik", "ABC", "5", ("70", "6"))


@pytest.mark.parametrize(
    ("change", "first", "count"),
    [
        (changes.change_company, "Norrvassen to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1", 6),
        (changes.change_ticker, "Vik to pay $5m, or EUR 4 mn, for $QZWM https://t.co/x1", 5),
        (changes.change_currency, "Vik to pay $5m, or CHF 4 mn, for $ABC https://t.co/x1", 6),
        (changes.change_amount, "Vik to pay $70m, or EUR 4 mn, for $ABC https://t.co/x1", 2),
        (changes.change_case, "VIK TO PAY $5M, OR EUR 4 MN, FOR $ABC https://t.co/x1", 3),
        (changes.change_link, "Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/Zr5nB2vKdE", 2),
        (changes.change_punctuation, "“Vik to pay $5m, or EUR 4 mn, for $ABC https://t.co/x1”", 3),
    ],
)
def test_changes(change: Callable[[Sentence], Iterator[str]], first: str, count: int) -> None:
    changed = list(change(EXAMPLE))
    assert changed[0] == first
    assert len(set(changed)) == count == len(changed)
    assert EXAMPLE.text not in changed


def test_what_is_not_in_a_sentence_is_not_changed() -> None:
    bare = Sentence("Markets are closed on Monday")
    for name in ("company", "ticker", "currency", "amount"):
        assert list(changes.CHANGES[name](bare)) == [], name
