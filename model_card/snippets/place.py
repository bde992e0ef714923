"""Where code blocks run: a folder that looks to every client as if the Hub held the release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from finsent.environment import environment_in

COMMIT = "0" * 40  # the revision under which the release stands in the cache of the blocks


@dataclass(frozen=True)
class Workplace:
    """A folder in which `model`, a Hub id, leads to `release` for every client, without a network."""

    folder: Path
    model: str
    release: Path
    modules: Path | None
    endpoint: str | None

    def environment(self, offline: bool, token: str | None = None) -> dict[str, str]:
        """Return the environment of a block; the token is only in that of one of ours that asks a Hub."""
        endpoint = None if offline else self.endpoint
        own = {"HF_HOME": str(self.folder / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
        own |= {"HF_ENDPOINT": endpoint} if endpoint is not None else {}
        own |= {"HF_TOKEN": token} if token is not None else {}
        return {**environment_in(self.folder, endpoint), **own, "HF_HUB_OFFLINE": "1" if offline else "0"}


def prepare(place: Workplace) -> Workplace:
    """Lay out a folder by the id, for clients that take paths, and a cache, for those that take ids."""
    local = place.folder / place.model
    local.parent.mkdir(parents=True)
    local.symlink_to(place.release, target_is_directory=True)
    cache = place.folder / "hf" / "hub" / f"models--{place.model.replace('/', '--')}"
    (cache / "snapshots").mkdir(parents=True)
    (cache / "snapshots" / COMMIT).symlink_to(place.release, target_is_directory=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    if place.modules is not None:
        (place.folder / "node_modules").symlink_to(place.modules.resolve(), target_is_directory=True)
    return place
