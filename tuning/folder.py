"""The folder of a search below runs/: what it leaves there, and what it goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HISTORY, IMPORTANCE = "history.png", "importance.png"
SLICES, PARALLEL = "slices.png", "parallel.png"


@dataclass(frozen=True)
class SearchFolder:
    """One search."""

    folder: Path

    @property
    def study(self) -> Path:
        """All trials, as optuna keeps them in SQLite."""
        return self.folder / "study.db"

    @property
    def finals(self) -> Path:
        """A file for each finalist and seed, by what decides its weights."""
        return self.folder / "finals"

    @property
    def checkpoints(self) -> Path:
        """The checkpoints of the training that runs."""
        return self.folder / "checkpoints"

    @property
    def best(self) -> Path:
        """The recipe with the best settings."""
        return self.folder / "best.yaml"

    @property
    def report(self) -> Path:
        """All figures."""
        return self.folder / "search.json"

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.folder / "figures"
