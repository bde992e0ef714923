"""What reading a source gives: labelled texts, and what was left out on the way."""

from __future__ import annotations

from dataclasses import dataclass

from finsent.recipe.data import SplitName


@dataclass(frozen=True)
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
    """A record that gives no row, and why."""

    reason: str


@dataclass(frozen=True)
class SourceRows:
    """The rows of one source in file order, and how many records were left out, by reason."""

    rows: list[Row]
    left_out: dict[str, int]
