"""What the Hub knows about a repository beside its git history."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def timestamp(moment: datetime | None = None) -> str:
    """A moment (now by default) in the only form that the clients parse: 2025-03-07T12:24:18.657Z."""
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def new_id() -> str:
    """A random id of 24 hexadecimal digits, the shape that the Hub's ids have."""
    return secrets.token_hex(12)


class Stored(BaseModel):
    """Base of what is written to disk: immutable, replaced as a whole."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Variable(Stored):
    """A Space's variable; for a secret the value is kept elsewhere and never answered."""

    value: str | None = None
    description: str | None = None
    updated_at: str

    def answer(self) -> dict[str, Any]:
        """As the API tells it."""
        parts = {"value": self.value, "description": self.description}
        return {
            **{key: part for key, part in parts.items() if part is not None},
            "updatedAt": self.updated_at,
        }


class Event(Stored):
    """Something that happened in a discussion."""

    id: str = Field(default_factory=new_id)
    type: Literal["comment", "status-change", "commit", "title-change"]
    author: str
    created_at: str = Field(default_factory=timestamp)
    data: dict[str, Any]


class Discussion(Stored):
    """A discussion or a pull request; the commits of the latter are at refs/pr/{num}."""

    num: int
    title: str
    author: str
    status: Literal["open", "closed", "merged", "draft"] = "open"
    is_pull_request: bool = False
    base: str = "refs/heads/main"
    merge_commit: str | None = None
    created_at: str = Field(default_factory=timestamp)
    events: tuple[Event, ...] = ()


class Record(Stored):
    """The facts of one repository, kept in `hub.json` inside its folder."""

    id: str = Field(default_factory=new_id)
    private: bool = False
    gated: Literal["auto", "manual", False] = False
    granted: tuple[str, ...] = ()
    created_at: str = Field(default_factory=timestamp)
    creator: str = ""
    former_names: tuple[str, ...] = ()
    """Ids that it had before it was moved and that nothing else has taken since."""
    discussions: tuple[Discussion, ...] = ()
    sdk: str | None = None
    hardware: str | None = None
    sleep_seconds: int | None = None
    paused: bool = False
    variables: dict[str, Variable] = Field(default_factory=dict)
    secrets: dict[str, Variable] = Field(default_factory=dict)


class Secrets(Stored):
    """The values of a Space's secrets, kept apart from the record."""

    values: dict[str, str] = Field(default_factory=dict)
