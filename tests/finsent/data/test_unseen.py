from __future__ import annotations

from finsent.data.near_duplicates import FREQUENT_GRAM
from finsent.data.unseen import find_near

HELD_OUT = ["Arvo profit rose to EUR 5 million in the third quarter", "Belmi warns on sales"]


def test_copies_and_near_copies_of_held_out_texts_are_found() -> None:
    texts = [
        "Cando opens a lease in Turku",
        "BELMI WARNS ON SALES!",
        "Arvo profit rose to EUR 6 million in the third quarter",
        "Arvo names a new chairman",
    ]
    assert find_near(texts, HELD_OUT, 0.7) == [1, 2]
    assert find_near(texts, HELD_OUT, 1.0) == [1]
    assert find_near(texts, [], 0.7) == find_near([], HELD_OUT, 0.7) == []


def test_a_text_that_is_near_to_a_near_one_counts_too() -> None:
    step = "Arvo profit rose to EUR 6 million in the third quarter since summer"
    further = "Arvo profit rose to EUR 6 million in the third quarter since summer began"
    assert find_near([further], HELD_OUT, 0.7) == []
    assert find_near([further, step], HELD_OUT, 0.7) == [0, 1]


def test_signs_without_letters_are_compared_as_they_stand() -> None:
    assert find_near([":)", ":("], [":("], 0.7) == [1]


def test_a_copy_is_found_where_all_of_its_words_are_frequent() -> None:
    """Near-duplicates are looked for by grams that few texts have, and this one has none of those."""
    frequent = [f"profit rose to {number} million" for number in range(FREQUENT_GRAM + 50)]
    assert find_near([*frequent, "Profit rose!"], ["profit rose"], 0.95) == [len(frequent)]
