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
from finsent.training import distributed, sharing
from finsent.training.fit import fit
from finsent.training.pairs import ALONE, Together, number_pairs, pair_loss
from tests import tiny


def row(label: str, group: str, source: str = "s") -> Row:
    return Row(f"a {label} text", label, source, "train", group=group)


def test_only_rows_of_one_group_with_different_labels_are_a_pair() -> None:
    rows = [row("up", "a"), row("up", ""), row("down", "a"), row("up", "b"), row("up", "b")]
    rows += [row("down", ""), row("down", "b", source="t"), row("up", "c"), row("up", "c"), row("down", "c")]
    assert number_pairs(rows) == [0, ALONE, 0, ALONE, ALONE, ALONE, ALONE, 1, 1, 1]


def test_the_rows_of_a_pair_stand_together_where_the_first_stood() -> None:
    order = Together(SequentialSampler(range(7)), [ALONE, 1, 0, ALONE, 1, 0, 1])
    assert list(order) == [0, 1, 4, 6, 2, 5, 3] and len(order) == 7
    assert list(order) == list(order)


def test_the_loss_is_what_both_sides_lack() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    labels = torch.tensor([[1.0, 0.0], [0.2, 0.8], [1.0, 0.0], [0.0, 1.0]])
    likely = logits.log_softmax(dim=1)
    lacks = [1.5 - (likely[0, 0] - likely[1, 0]), 1.5 - (likely[1, 1] - likely[0, 1])]
    expected = sum(max(float(lack), 0) for lack in lacks) / 4
    assert expected > 0.3
    found = pair_loss(logits, labels, torch.tensor([0, 0, 1, 1]), 1.5)
    assert float(found) == pytest.approx(expected)  # the second pair has its margin
    for pairs in ([0, 1, 2, 3], [ALONE] * 4):
        assert float(pair_loss(logits, labels, torch.tensor(pairs), 1.5)) == 0
    turned = pair_loss(logits, labels.roll(1, 1), torch.tensor([ALONE, ALONE, 1, 1]), 1.5)
    assert float(turned) == pytest.approx((1.5 + 5) * 2 / 4)  # each side is sure of the other's label


@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_pairs_come_in_one_batch_and_are_learnt_by_their_margin(
    margin: float, tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny.write_recipe(tmp_path, tiny_base)
    tied = [one | {"pair": str(number % 30)} for number, one in enumerate(tiny.make_rows())]
    tiny.write_csv(tmp_path / "rows.csv", tied)
    recipe = load_recipe(file, changes={"training": {"pair_margin": margin, "epochs": 2}})
    splits = load_splits(recipe)
    numbers = number_pairs(splits.train)
    seen: list[list[int]] = []

    def watched(
        logits: torch.Tensor, labels: torch.Tensor, pairs: torch.Tensor, given: float
    ) -> torch.Tensor:
        assert given == margin
        seen.append(pairs.tolist())
        return pair_loss(logits, labels, pairs, given)

    monkeypatch.setattr(sharing, "pair_loss", watched)
    base = load_base(recipe, [one.text for one in splits.train])
    fit(recipe, splits, base, tmp_path / "checkpoints")
    assert len(set(numbers)) > 4
    if not margin:
        assert seen == []
        return
    whole = sum(batch.count(number) > 1 for batch in seen for number in set(batch) - {ALONE})
    assert whole > 0.8 * 2 * len(set(numbers) - {ALONE})


def test_several_processes_would_part_the_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed.check_share(32, pair_margin=1.0)
    monkeypatch.setattr(distributed, "count_processes", lambda: 2)
    distributed.check_share(32)
    with pytest.raises(FinsentError, match=r"pair_margin: got 1\.0 in 2 processes, which would part"):
        distributed.check_share(32, pair_margin=1.0)
