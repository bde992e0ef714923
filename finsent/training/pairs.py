"""Rows of one group with different labels, such as "loss narrowed" and "loss widened": learnt side by side.

Both sides come in one batch, and a margin is asked between them: the label of one side must be more likely
there than on the other side. So the model learns what tells the two apart, not what they have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from finsent.data.rows import Row

PAIR, ALONE = "pair", -1  # a column of the training rows: the number of a row's pair, or that it has none


def number_pairs(rows: Sequence[Row]) -> list[int]:
    """Return a number a row, equal for rows of one group that has different labels; ALONE for others."""
    labels: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        labels[row.source, row.group].add(row.label)
    told = [group for group, found in labels.items() if group[1] and len(found) > 1]
    numbers = {group: number for number, group in enumerate(told)}
    return [numbers.get((row.source, row.group), ALONE) for row in rows]


class Together(Sampler[int]):
    """An order in which all rows of a pair stand where the first of them stood."""

    def __init__(self, order: Sampler[int], pairs: Sequence[int]) -> None:
        self.order, self.pairs = order, pairs

    def __iter__(self) -> Iterator[int]:
        order = list(self.order)
        members: defaultdict[int, list[int]] = defaultdict(list)
        for row in order:
            members[self.pairs[row]].append(row)
        for row in order:
            if self.pairs[row] == ALONE:
                yield row
            else:
                yield from members.pop(self.pairs[row], [])

    def __len__(self) -> int:
        return len(self.order)  # type: ignore[arg-type]  # those of datasets have a length


def pair_loss(logits: torch.Tensor, labels: torch.Tensor, pairs: torch.Tensor, margin: float) -> torch.Tensor:
    """Return by how much sides of pairs lack the margin, a row of the batch; 0 without a whole pair.

    `logits` and `labels` are `(n, n_labels)`, `pairs` is `(n,)`. For every side and every other side with
    another label, the log-probability of its label must be higher by `margin` than on the other side.
    """
    chosen = labels.argmax(dim=1)
    likely = logits.float().log_softmax(dim=1)[:, chosen].T  # of the label of row i (first), in text j
    lack = (margin - likely.diagonal()[:, None] + likely).clamp(min=0)
    opposed = (pairs[:, None] == pairs) & (pairs != ALONE) & (chosen[:, None] != chosen)
    return (lack * opposed).sum() / len(labels)
