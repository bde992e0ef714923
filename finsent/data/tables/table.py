"""What is looked at: the columns of a table, every cell as text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Equally long columns by their names; `name` is that of the file, for messages."""

    name: str
    columns: dict[str, list[str]]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), []))
