"""Which Space a push makes of the demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from publishing.hub.remote import Target
from publishing.space.forms import DemoFiles, Subject

OUTBOX = Path("outbox", "space")  # in a run's folder: the form as it was last made ready
SpaceChoice = Literal["auto", "gradio", "static", "zerogpu", "none"]


@dataclass(frozen=True)
class SpaceOptions:
    """Which Space is wanted, and of what; `secrets` are names of environment variables."""

    repo_id: str
    choice: SpaceChoice
    subject: Subject
    outbox: Path
    files: DemoFiles = field(default_factory=DemoFiles)
    private: bool = False
    secrets: tuple[str, ...] = ()
    replace_card: bool = False
    wait: float = 600.0
    """Seconds until it must run."""
    poll: float = 2.0

    @property
    def target(self) -> Target:
        """The Space's repository."""
        return Target(self.repo_id, "space")
