"""A Hub on this machine that the clients of the real one can work with."""

from __future__ import annotations

from local_hub.hub import RootInUseError
from local_hub.server import RunningHub, running_hub
from local_hub.settings import HubSettings, TokenGrant

__all__ = ["HubSettings", "RootInUseError", "RunningHub", "TokenGrant", "running_hub"]
