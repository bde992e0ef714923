"""What a Hub is started with; everything that a server may be told stands here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Role = Literal["read", "write"]

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class TokenGrant:
    """One access token: whose it is and whether it may write."""

    user: str
    role: Role
    token: str

    def __repr__(self) -> str:
        return f"TokenGrant(user={self.user!r}, role={self.role!r}, token=***)"


@dataclass(frozen=True)
class HubSettings:
    """Where the Hub lives and which rules it enforces; limits in bytes, None means unlimited."""

    root: Path
    host: str = "127.0.0.1"
    port: int = 8090
    tokens: tuple[TokenGrant, ...] = ()
    organizations: tuple[str, ...] = ()
    """Namespaces beside the users' own; every user is a member."""
    run_spaces: bool = False
    start_spaces: bool = True
    """False: a Space that is run starts when it changes or when its runtime is asked, not with the server."""
    allow_faults: bool = False
    free_account: bool = False
    """Gradio and Docker Spaces answer 402, as they do for free accounts since July 2026."""
    commits_per_hour: int | None = None
    requests_per_5_minutes: int | None = None
    xet: bool = True
    redirects: bool = True
    """False: /resolve answers 200 at once, the third shape that the real Hub has."""
    regular_file_limit: int = 10 * MEBIBYTE
    multipart_threshold: int = 256 * MEBIBYTE
    part_size: int = 64 * MEBIBYTE
    patience: float = 30.0
    """Seconds that a client may keep the server waiting: for the headers of a request, for the next bytes of
    its body, before it takes the next bytes of an answer."""
    inference_slots: int = 2
    inference_queue: int = 64
    inference_memory: int = 6 << 30
    inference_seconds: float = 120.0
    """For loading a model, and for each answer; beyond it the model's process is ended."""
    space_memory: int = 16 << 30
    """For all processes of one Space together, and for the building of one; cpu-basic has as much."""
    space_processes: int = 256
    hosts: tuple[str, ...] = ()
    """Names under which this Hub may be asked, beside its address and localhost."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; by default none."""

    @property
    def address(self) -> str:
        """Where this Hub listens, as addresses are written: IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
