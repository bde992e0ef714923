"""The way to a Hub: which one, with whose token, and how long an answer may take."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfApi, constants

from finsent.environment import environment_in, offline_switches
from publishing.errors import PublishError
from publishing.hub import client

PUBLIC_HUB = "https://huggingface.co"
_TOKEN = re.compile(r"\bhf_\w{4,}|(?<=[Bb]earer )\S+")


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect, and seconds without a byte of the answer; on POST the client has none itself."""

    connect: float = 10
    read: float = 60


@dataclass(frozen=True)
class Connection:
    """A client of one Hub. `source` says where the token was found; the token itself is never shown.

    `folder` is where a Hub that ends with the command keeps its files: people are told that, not its address.
    """

    endpoint: str
    api: HfApi
    source: str
    token: str = field(repr=False)
    folder: str | None = None

    @property
    def place(self) -> str:
        """What people are told this Hub is."""
        return self.folder or self.endpoint

    def place_of(self, repository: str) -> str:
        """Return where people find a repository."""
        return f"{repository} in {self.folder}" if self.folder else f"{self.endpoint}/{repository}"

    def redact(self, text: str) -> str:
        """Return the text without this token and without whatever looks like one."""
        return _TOKEN.sub("***", text.replace(self.token, "***"))

    @property
    def is_public(self) -> bool:
        """Whether this is the real Hub, whose inference providers need not serve a new model."""
        return self.endpoint == PUBLIC_HUB

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a fresh process that uses this Hub, as we do, with an empty home."""
        return self.anonymous_environment(home) | {"HF_TOKEN": self.token}

    def anonymous_environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a process that uses this Hub without our token."""
        quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        ours = {"HF_ENDPOINT": self.endpoint, "HF_HUB_DISABLE_XET": "1", "TOKENIZERS_PARALLELISM": "false"}
        return {**environment_in(home, self.endpoint), **quiet, **ours}


def connect(
    endpoint: str,
    token: str | None,
    timeouts: Timeouts,
    given: str = "the caller",
    folder: str | None = None,
) -> Connection:
    """Point this process's Hub client at an endpoint; PublishError without a token or with a bad address.

    Without `token`, HF_TOKEN and the file of `hf auth login` are asked; `given` names where `token` is from.
    `folder` is told instead of an address that does not last.
    """
    endpoint = endpoint.rstrip("/")
    if not re.fullmatch(r"https?://[^\s/@]+(/[^\s@]*)?", endpoint):
        raise PublishError("endpoint: write it as https://host, without a user or token")
    if constants.HF_HUB_OFFLINE:  # either of two variables sets it
        names = offline_switches("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") or ["HF_HUB_OFFLINE"]
        raise PublishError(
            f"{' and '.join(names)}: publishing is not possible while it is set; unset it first"
        )
    found, source = (token, given) if token else find_token()
    client.use_hub(endpoint, timeouts.connect, timeouts.read)
    return Connection(endpoint, HfApi(endpoint=endpoint, token=found), source, found, folder)


def find_token() -> tuple[str, str]:
    """Return a token and where it was found; PublishError if there is none."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := os.environ.get(name, "").strip():
            return value, name
    path = Path(constants.HF_TOKEN_PATH)
    if path.is_file() and (value := path.read_text(encoding="utf-8").strip()):
        return value, str(path).replace(str(Path.home()), "~")
    raise PublishError("no token: run 'hf auth login', set HF_TOKEN, or publish to this machine with --local")
