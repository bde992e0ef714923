"""Rows of one group with different labels, such as "loss narrowed" and "loss widened": learnt side by side.

All of them come in one batch, and a margin is asked between them: the label of one must be likelier there
than in those with another label. So the model learns what tells them apart, not what they have in common.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from finsent.data.rows import Row
from finsent.errors import FinsentError

PAIR, ALONE = "pair", -1  # a column of the training rows, (pair, label) by number; ALONE is in no pair


def number_pairs(rows: Sequence[Row], labels: Sequence[str]) -> list[list[int]]:
    """Return the numbers of a row's pair and of its label, `(n, 2)`; the pair is ALONE for most.

    Rows of one source and group are a pair if not all have the same label. FinsentError if there is none.
    """
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        found[row.source, row.group].add(row.label)
    told = [group for group, theirs in found.items() if group[1] and len(theirs) > 1]
    if not told:
        raise FinsentError(
            "training.pair_margin: no two training rows of one group have different labels; name the column "
            "of groups in data.sources (group), or set it to 0"
        )
    numbers = {group: number for number, group in enumerate(told)}
    return [[numbers.get((row.source, row.group), ALONE), labels.index(row.label)] for row in rows]


class Together(Sampler[int]):
    """An order in which the rows of a pair follow each other, in one batch where they are not more than that.

    A pair that the current batch has no room for comes first in the next one. Where no single rows are left
    to fill a batch, the last pairs of a pass may be parted.
    """

    def __init__(self, order: Sampler[int], pairs: Sequence[int], batch_size: int) -> None:
        self.order, self.pairs, self.batch_size = order, pairs, batch_size

    def __iter__(self) -> Iterator[int]:
        room, waiting = self.batch_size, deque[list[int]]()
        for unit in self._units():
            if len(unit) > room and len(unit) <= self.batch_size:
                waiting.append(unit)
                continue
            yield from unit
            room = (room - len(unit)) % self.batch_size or self.batch_size
            while waiting and len(waiting[0]) <= room:
                yield from (first := waiting.popleft())
                room = (room - len(first)) % self.batch_size or self.batch_size
        for unit in waiting:
            yield from unit

    def _units(self) -> Iterator[list[int]]:
        """Yield single rows, and pairs where their first row stood."""
        order = list(self.order)
        members: defaultdict[int, list[int]] = defaultdict(list)
        for row in order:
            members[self.pairs[row]].append(row)
        for row in order:
            if self.pairs[row] == ALONE:
                yield [row]
            elif unit := members.pop(self.pairs[row], None):
                yield unit

    def __len__(self) -> int:
        return len(self.order)  # type: ignore[arg-type]  # those of datasets have a length


def pair_loss(logits: torch.Tensor, pairs: torch.Tensor, margin: float) -> torch.Tensor:
    """Return by how much rows lack the margin, the mean over a batch; rows without a partner lack nothing.

    `logits` are `(n, n_labels)`, `pairs` are `(n, 2)` as of number_pairs. The log-probability of a row's
    label must be higher by `margin` in it than in each of its partners; over these, the mean is taken.
    """
    pair, label = pairs.unbind(dim=1)
    likely = logits.float().log_softmax(dim=1)[:, label].T  # of the label of row i (first), in text j
    lack = (margin - likely.diagonal()[:, None] + likely).clamp(min=0)
    opposed = (pair[:, None] == pair) & (pair != ALONE) & (label[:, None] != label)
    return ((lack * opposed).sum(dim=1) / opposed.sum(dim=1).clamp(min=1)).mean()
