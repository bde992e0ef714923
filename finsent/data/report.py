"""What preparing the rows leaves in metrics.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

REPEATED = "a copy of another row"
CONFLICTING = "copies have different labels"
TIED = "nearly the same as a test or validation row"


@dataclass(frozen=True)
class DataReport:
    """Counts of rows: read, left out (by reason), per split and source, and the sha256 of each split.

    `near_duplicate_groups` are groups of two rows or more, tied by their source or as near-duplicates;
    `near_duplicate_method` is how these were looked for.
    """

    read: dict[str, int]
    left_out: dict[str, int]
    duplicates: int
    conflicting: int
    near_duplicate_groups: int
    tied_to_held_out: int
    counts: dict[str, dict[str, int]]
    labels: dict[str, dict[str, int]]
    fingerprints: dict[str, str]
    near_duplicate_method: Literal["exact", "minhash"] = "exact"

    def dropped(self) -> dict[str, int]:
        """Return how many records are in no split, by reason."""
        own = {REPEATED: self.duplicates, CONFLICTING: self.conflicting, TIED: self.tied_to_held_out}
        return {reason: count for reason, count in (self.left_out | own).items() if count}
