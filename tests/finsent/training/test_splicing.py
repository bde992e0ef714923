from __future__ import annotations

import pytest

from finsent.training.splicing import splice

TEXTS = [
    "Arvo wins an order after a strike",
    "Belmi falls After weak sales",
    "Cando buys a mill",
    "short one",
]


def test_a_copy_has_the_head_of_one_text_and_the_tail_of_another_from_a_word_that_both_have() -> None:
    made = splice(TEXTS, 1, seed=3)
    first = {"Arvo wins an order After weak sales", "Arvo wins an order after a mill"}
    assert made[0] in first
    assert made[1:] == ["Belmi falls after a strike", "Cando buys a strike"]


def test_a_text_that_shares_no_word_inside_has_no_copy() -> None:
    assert splice(["one two three four", "five six seven eight", "", "a"], 3, seed=0) == []


def test_a_text_is_not_spliced_with_itself() -> None:
    assert splice(["more and more and more"], 5, seed=0) == []
    assert set(splice(["up and up and away", "down and out"], 8, seed=0)) <= {
        "up and out",
        "up and up and out",
        "down and up and away",
        "down and away",
    }


@pytest.mark.parametrize("copies", [0, 1, 4])
def test_the_same_seed_gives_the_same_copies(copies: int) -> None:
    made = splice(TEXTS, copies, seed=5)
    assert made == splice(TEXTS, copies, seed=5) and len(made) == 3 * copies
    assert copies < 4 or made != splice(TEXTS, copies, seed=6)
