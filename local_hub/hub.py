"""The Hub itself: one root folder, opened exclusively, with all its parts."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local_hub.accounts import Accounts, kept_token, local_grant
from local_hub.catalogue import Catalogue, Shelf
from local_hub.durable import empty_folder
from local_hub.objects import ObjectStore
from local_hub.quotas import Window
from local_hub.sessions import Sessions
from local_hub.settings import HubSettings
from local_hub.signing import Signer

if TYPE_CHECKING:
    from local_hub.spaces import SpaceRunner


class RootInUseError(RuntimeError):
    """Another server works on this root."""


class Hub:
    """Everything that the routes work with; close it to let another server have the root."""

    def __init__(self, settings: HubSettings) -> None:
        root = settings.root
        root.mkdir(parents=True, exist_ok=True)
        self._lock_file = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock_file)
            raise RootInUseError(
                f"{root} is in use by another Hub; stop it or choose another --root."
            ) from None
        grants = settings.tokens or (local_grant(root),)
        self.settings = replace(settings, tokens=grants)
        self.control_token = kept_token(root / "control") if settings.allow_faults else None
        self.incoming = root / "incoming"
        empty_folder(self.incoming)
        self.accounts = Accounts(grants, settings.organizations)
        self.signer = Signer(root / "key")
        self.sessions = Sessions(self.signer, self.accounts, settings.port)
        self.objects = ObjectStore(root / "objects", self.incoming)
        self.catalogue = Catalogue(root / "repositories", self.objects)
        self.commit_quota = Window("commits", settings.commits_per_hour, 3600)
        self.deletion_listeners: list[Callable[[Shelf], None]] = []
        self.closers: list[Callable[[], None]] = []
        self.spaces: SpaceRunner | None = None
        """What runs the Spaces, where they are run."""
        self.listeners: list[Callable[[Shelf, str], None]] = []
        self.request_quota = Window("api", settings.requests_per_5_minutes, 300)

    def parts_folder(self, claim: dict[str, Any]) -> Path:
        """Where the parts of one multipart upload wait to be put together; lost when the server restarts."""
        name = hashlib.sha256(json.dumps([claim["repo"], claim["user"], claim["oid"]]).encode()).hexdigest()
        folder = self.incoming / "parts" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def after_change(self, shelf: Shelf, ref: str) -> None:
        """Tell the parts that care that a branch has moved."""
        for listener in self.listeners:
            listener(shelf, ref)

    def delete(self, shelf: Shelf) -> None:
        """Delete a repository, after what runs for it has ended."""
        for listener in self.deletion_listeners:
            listener(shelf)
        self.catalogue.delete(shelf.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs and give the root free."""
        for closer in self.closers:
            closer()
        os.close(self._lock_file)
