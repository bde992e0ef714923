"""What a linter says of one line of a card."""

from __future__ import annotations

from dataclasses import dataclass

from finsent.release import CARD


@dataclass(frozen=True, order=True)
class Problem:
    """A line (counted from 1) of README.md, the rule that it breaks, and what to do."""

    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{CARD}:{self.line}: {self.rule}: {self.message}"
