"""How a Space of ten lines is published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from local_hub import RunningHub
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader
from publishing.hub.retries import Retries
from publishing.space.address import OUTBOX, SpaceOptions
from publishing.space.forms import DemoFiles, Subject
from tests.publishing.conftest import QUICK, WRITE, Publisher


def small_space(repo_id: str, run: Path, demo: Path) -> SpaceOptions:
    subject = Subject(repo_id, "A small one", "Tells little.", "apache-2.0")
    files = DemoFiles(demo, inference=None)
    return SpaceOptions(f"{repo_id}-demo", "auto", subject, run / OUTBOX, files, wait=120, poll=0.5)


def space_of(publisher: Publisher, demo: Path, **changes: object) -> SpaceOptions:
    made = small_space(publisher.repo_id, publisher.run, demo)
    return replace(made, **changes)  # type: ignore[arg-type]


def reader_of(hub: RunningHub, retries: Retries = QUICK) -> Reader:
    return Reader(connect(hub.endpoint, WRITE, Timeouts(5, 20), "a test"), retries)
