"""What reading a source gives: labelled texts, and what was left out on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from finsent.recipe.data import SplitName

MOST_EXAMPLES = 3  # a reason


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. `split` is the file's; `group` and `slice` are empty where the source has none.

    `label_probability` is what training learns of the label, 0..1; below 1 where annotators disagreed.
    """

    text: str
    label: str
    source: str
    split: SplitName
    group: str = ""
    slice: str = ""
    label_probability: float = 1.0


@dataclass(frozen=True)
class LeftOut:
    """A record that gives no row, why, and its text where there is one."""

    reason: str
    text: str = ""


@dataclass
class LeftOutCount:
    """How many records were left out, by reason, with the first texts of each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, text: str) -> None:
        """Count a record."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if self.counts[reason] <= MOST_EXAMPLES:
            self.examples.setdefault(reason, []).append(text)

    def add_many(self, reason: str, count: int) -> None:
        """Count records of which none is worth showing."""
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count


@dataclass(frozen=True)
class SourceRows:
    """The rows of one source in file order; how many records were left out, by reason, and texts of some."""

    rows: list[Row]
    left_out: dict[str, int]
    examples: dict[str, list[str]] = field(default_factory=dict)
