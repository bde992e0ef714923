from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.data import SequentialSampler

from finsent.data.rows import Row
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import FinsentError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training import sharing
from finsent.training.batches import check_pairs_fit
from finsent.training.fit import fit
from finsent.training.pairs import ALONE, Together, number_pairs, pair_loss
from tests import tiny


def row(label: str, group: str, source: str = "s") -> Row:
    return Row(f"a {label} text", label, source, "train", group=group)


def test_only_rows_of_one_group_with_different_labels_are_a_pair() -> None:
    rows = [row("up", "a"), row("up", ""), row("down", "a"), row("up", "b"), row("up", "b")]
    rows += [row("down", ""), row("down", "b", source="t"), row("up", "c"), row("up", "c"), row("down", "c")]
    numbers = number_pairs(rows, ["down", "up"])
    assert [pair for pair, _ in numbers] == [0, ALONE, 0, ALONE, ALONE, ALONE, ALONE, 1, 1, 1]
    assert [label for _, label in numbers] == [one.label == "up" for one in rows]
    with pytest.raises(FinsentError, match="no two training rows of one group have different labels"):
        number_pairs(rows[3:7], ["down", "up"])


def test_the_rows_of_a_pair_stand_together_where_the_first_stood() -> None:
    order = Together(SequentialSampler(range(7)), [ALONE, 1, 0, ALONE, 1, 0, 1], 7)
    assert list(order) == [0, 1, 4, 6, 2, 5, 3] and len(order) == 7
    assert list(order) == list(order)


def test_a_pair_that_a_batch_has_no_room_for_opens_the_next_one() -> None:
    pairs = [ALONE, 0, 0, 1, 1, ALONE, ALONE, 2, 2, 3, 3, ALONE]
    order = list(Together(SequentialSampler(range(12)), pairs, 4))
    assert order[:4] == [0, 1, 2, 5] and order[4:6] == [3, 4]
    assert sorted(order) == list(range(12))
    at = {row: place // 4 for place, row in enumerate(order)}
    assert at[1] == at[2] and at[3] == at[4] and at[7] == at[8]
    large = list(Together(SequentialSampler(range(7)), [0] * 6 + [ALONE], 4))
    assert large == list(range(7))  # more rows than a batch has


def test_the_loss_is_what_each_side_lacks() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    likely = logits.log_softmax(dim=1)
    lacks = [1.5 - (likely[0, 0] - likely[1, 0]), 1.5 - (likely[1, 1] - likely[0, 1])]
    expected = sum(max(float(lack), 0) for lack in lacks) / 4
    assert expected > 0.3
    right = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert float(pair_loss(logits, right, 1.5)) == pytest.approx(expected)  # the second pair has its margin
    assert float(pair_loss(logits, torch.tensor([[0, 0], [1, 1], [2, 0], [3, 1]]), 1.5)) == 0
    assert float(pair_loss(logits, torch.tensor([[ALONE, 0], [ALONE, 1]] * 2), 1.5)) == 0
    turned = torch.tensor([[ALONE, 0], [ALONE, 0], [1, 1], [1, 0]])
    assert float(pair_loss(logits, turned, 1.5)) == pytest.approx((1.5 + 5) * 2 / 4)


def test_a_large_group_counts_no_more_than_pairs_do() -> None:
    labels = torch.arange(32) % 2
    one = torch.stack([torch.zeros(32, dtype=torch.long), labels], dim=1)
    pairs = torch.stack([torch.arange(32) // 2, labels], dim=1)
    assert float(pair_loss(torch.zeros(32, 2), one, 1.0)) == pytest.approx(1)
    assert float(pair_loss(torch.zeros(32, 2), pairs, 1.0)) == pytest.approx(1)


@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_pairs_come_in_one_batch_and_are_learnt_by_their_margin(
    margin: float, tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny.write_recipe(tmp_path, tiny_base)
    tied = [
        one | {"pair": str(number % 30) if number % 30 < 12 else ""}
        for number, one in enumerate(tiny.make_rows())
    ]
    tiny.write_csv(tmp_path / "rows.csv", tied)
    recipe = load_recipe(file, changes={"training": {"pair_margin": margin, "epochs": 2}})
    splits = load_splits(recipe)
    numbers = [pair for pair, _ in number_pairs(splits.train, recipe.labels)]
    seen: list[list[int]] = []

    def watched(logits: torch.Tensor, pairs: torch.Tensor, given: float) -> torch.Tensor:
        assert given == margin
        seen.append(pairs[:, 0].tolist())
        return pair_loss(logits, pairs, given)

    monkeypatch.setattr(sharing, "pair_loss", watched)
    base = load_base(recipe, [one.text for one in splits.train])
    fit(recipe, splits, base, tmp_path / "checkpoints")
    assert len(set(numbers)) > 4
    assert len(seen) >= (2 * len(splits.train) / recipe.training.batch_size if margin else 0)
    assert margin or not seen
    for batch in seen:
        assert all(batch.count(number) == numbers.count(number) for number in set(batch) - {ALONE})


def test_rows_that_are_computed_apart_have_no_margin(tiny_recipe: Recipe) -> None:
    training = tiny_recipe.training.model_copy(update={"pair_margin": 1.0, "batch_size": 32})
    check_pairs_fit(training, 1)
    for changes, processes, at_once in (({}, 2, 16), ({"max_tokens": 512}, 1, 4)):
        changed = training.model_copy(update=changes)
        with pytest.raises(FinsentError, match=rf"of the 32 rows of a batch {at_once} are computed"):
            check_pairs_fit(changed, processes)
        check_pairs_fit(changed.model_copy(update={"pair_margin": 0.0}), processes)
