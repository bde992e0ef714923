from __future__ import annotations

import pytest

from finsent.errors import DataError
from finsent.recipe.new.labels import LEAST_ROWS, find_labels, find_tones


def named(values: list[str], **names: str) -> dict[str, str | None]:
    return {one.value: one.name for one in find_labels(values * LEAST_ROWS, names)}


def test_labels_stand_in_an_order_that_a_reader_expects() -> None:
    assert list(named(["positive", "neutral", "negative"])) == ["negative", "neutral", "positive"]
    assert list(named(["10", "9", "1"])) == ["1", "9", "10"]
    assert list(named(["spam", "ham"])) == ["ham", "spam"]


def test_numbers_get_a_word_and_spaces_go() -> None:
    assert named(["0", "1"]) == {"0": "label_0", "1": "label_1"}
    assert named([" ham", "ham", "spam"]) == {" ham": "ham", "ham": "ham", "spam": "spam"}
    assert find_labels(["0", "1"] * LEAST_ROWS, {"0": "ham", "1": "spam"})[1].name == "spam"


def test_a_label_with_few_rows_is_left_out_and_so_is_none() -> None:
    found = find_labels([*["a", "b"] * LEAST_ROWS, *["c"] * (LEAST_ROWS - 1), *[""] * 50], {})
    assert {one.value: one.name for one in found} == {"": None, "a": "a", "b": "b", "c": None}


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"two labels with 8 rows or more are needed, got 'a' \(20\), 'b' \(3\)"
    ):
        find_labels(["a"] * 20 + ["b"] * 3, {})
    with pytest.raises(DataError, match=r"no row has the label '7'; the labels are \['0', '1'\]"):
        find_labels(["0", "1"] * 20, {"7": "seven"})


def test_only_feelings_have_a_tone() -> None:
    assert find_tones(["negative", "positive"]) == {"negative": "bad", "positive": "good"}
    assert find_tones(["ham", "spam"]) == {} == find_tones(["negative", "spam"])
