from __future__ import annotations

import pytest

from finsent.recipe.new.defaults import STEPS, choose_budget, choose_shares, choose_text, choose_training


@pytest.mark.parametrize("rows", [50, 144, 999, 1000, 3750, 20_000, 1_000_000])
def test_a_training_has_enough_steps_and_not_too_many(rows: int) -> None:
    chosen = choose_training(rows, rows // 2, rows // 2, 20)
    epochs, batch = chosen["epochs"].value, chosen["batch_size"].value
    assert isinstance(epochs, int) and isinstance(batch, int)
    steps = rows * epochs / batch
    assert steps >= min(STEPS, rows * 40 / 16) * 0.95
    assert rows * epochs <= max(20_000, 5 * rows) and (rows < 200_000 or epochs == 1)


def test_the_length_follows_the_texts() -> None:
    assert [choose_training(5000, 100, 100, tokens)["max_tokens"].value for tokens in (5, 30, 45, 900)] == [
        32, 32, 48, 256,
    ]  # fmt: skip


def test_weights_are_for_rare_labels() -> None:
    assert "class_weights" not in choose_training(5000, 800, 2000, 30)
    assert choose_training(5000, 100, 2000, 30)["class_weights"].value == "root"


def test_a_small_set_gives_more_of_it_to_the_test_and_a_large_one_less() -> None:
    assert choose_shares(240) == (0.15, 0.25)
    assert choose_shares(5000) == (0.1, 0.15)
    validation, test = choose_shares(1_200_000)
    assert test == 0.005 and 0 < validation < test


def test_the_budget_is_never_less_than_two_rows() -> None:
    assert {name: one.value for name, one in choose_budget(1000).items()} == {
        "macro_f1_drop": 0.015,
        "flip_share": 0.06,
    }
    assert choose_budget(20)["flip_share"].value == 0.1


def test_text_rules_follow_what_is_in_the_texts() -> None:
    assert choose_text(["I < 3 you", "a & b"], 400) == {}
    found = choose_text(["Good.<br />Bad.", "Tom &amp; Jerry"], 1234)
    assert {name: one.value for name, one in found.items()} == {
        "drop_tags": True,
        "decode_entities": True,
        "max_characters": 1300,
    }
    assert found["drop_tags"].reason == "50% of the texts contain HTML tags"
    assert choose_text(["x"], 90_000)["max_characters"].value == 2000
