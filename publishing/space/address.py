"""Which Space a push makes of the demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from finsent.recipe.file import read_released_recipe
from finsent.release import RECIPE, Run
from publishing.hub.remote import Target
from publishing.package.card_merge import CardChoice
from publishing.package.parcel import Parcel, subject_of
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


def choose_space(
    repo_id: str,
    parcel: Parcel,
    choice: SpaceChoice,
    private: bool,
    secrets: list[str] | None,
    card: CardChoice | None,
) -> SpaceOptions:
    """Return how a Space shows what a parcel carries, by what the command line says."""
    return SpaceOptions(
        repo_id, choice, subject_of(parcel), parcel.run / OUTBOX,
        private=private, secrets=tuple(secrets or ()), replace_card=card == "ours",
    )  # fmt: skip


def choose_space_id(folder: Path, repo_id: str | None, space_id: str | None) -> str:
    """Return the demo's repository: as given, beside a model that was given, else the recipe's hub.space."""
    if space_id:
        return space_id
    return f"{repo_id}-demo" if repo_id else read_released_recipe(Run(folder).release / RECIPE).hub.space
