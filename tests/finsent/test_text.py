from __future__ import annotations

import re

import pytest

from finsent.text import CASHTAG, LINK, comparable


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Profit rose 5 %!", "profit  ROSE, 5", True),
        ("Profit rose https://a.example/x?y=1", "Profit rose", True),
        ("Arvo_Oyj", "Arvo Oyj", True),
        ("Gewinn stieg für Bäcker", "Gewinn stieg fur Backer", False),
        ("주가 상승", "주가 하락", False),
        ("Profit rose 5", "Profit rose 6", False),
    ],
)
def test_texts_are_the_same_when_their_letters_and_digits_are(one: str, other: str, same: bool) -> None:
    assert (comparable(one) == comparable(other)) is same


def test_a_text_without_a_letter_is_like_any_other_without_one() -> None:
    assert comparable("!?") == comparable("https://a.example") == ""


def test_a_cashtag_is_the_sign_before_a_letter_alone() -> None:
    assert re.sub(CASHTAG, "", "$AAPL rose $5, US$ and $$MSFT") == "AAPL rose $5, US$ and $MSFT"


def test_a_link_ends_with_the_word() -> None:
    assert re.sub(LINK, "", "see http://a.example/b?c=d#e, now; ftp://x") == "see  now; ftp://x"
