"""Texts without labels that a student learns from its teachers' answers alone."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass

from finsent.data.duplicates import SPLITS
from finsent.data.splits import Splits
from finsent.data.unseen import find_near
from finsent.text import comparable


@dataclass(frozen=True)
class Transfer:
    """The texts in the order in which they were drawn; how many copies went, and how many were too near."""

    texts: list[str]
    repeated: int
    near: int

    def digest(self) -> str:
        """Return the sha256 of the texts in their order."""
        return hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()


def draw_transfer(texts: Iterable[str], splits: Splits, count: int, threshold: float, seed: int) -> Transfer:
    """Draw `count` texts; fewer where there are not as many, or where some are near to held-out rows.

    A copy of another text or of a row of any split is not drawn.
    """
    known = {comparable(row.text) for split in SPLITS for row in splits[split]}
    total = 0
    fresh: dict[str, str] = {}
    for text in texts:
        total += 1
        if (key := comparable(text)) and key not in known:
            fresh.setdefault(key, text)
    drawn = random.Random(seed).sample(list(fresh.values()), min(count, len(fresh)))
    held_out = [row.text for row in (*splits.validation, *splits.test)]
    near = set(find_near(drawn, held_out, threshold))
    kept = [text for position, text in enumerate(drawn) if position not in near]
    return Transfer(kept, repeated=total - len(fresh), near=len(near))
