"""A loaded model: a process of its own behind a socket, with limits on its memory and its time."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from local_hub.errors import HubError
from local_hub.processes import Limits, Supervised, clean_environment, own_packages
from local_hub.settings import HubSettings

_WORKER = Path(__file__).with_name("model_worker.py")
_MAX_ANSWER = 64 << 20
_PROCESSES = 16


class ModelProcess:
    """Loads one model and answers for it; one question at a time."""

    def __init__(self, settings: HubSettings, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._seconds = settings.inference_seconds
        self._socket, theirs = socket.socketpair()
        with theirs, Path(os.devnull).open("ab") as log:
            self._process = Supervised(
                [sys.executable, "-P", str(_WORKER), str(theirs.fileno())],
                folder=home,
                environment=clean_environment(settings.root, home, _environment(home)),
                limits=Limits(settings.inference_memory, _PROCESSES),
                log=log,
                pass_fds=[theirs.fileno()],
            )

    def load(self, folder: Path) -> None:
        """Load the model of the folder; 400 says why it cannot be loaded."""
        self._answer()  # the imports are done
        self.ask({"folder": str(folder)})

    def ask(self, question: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        """The answer; 400 with a sentence for an error, the end of the process and the end of its time."""
        try:
            self._socket.settimeout(self._seconds)
            self._socket.sendall(json.dumps(question).encode() + b"\n")
        except OSError:
            raise self._ended() from None
        return self._answer()

    def _answer(self) -> Any:  # noqa: ANN401  (JSON)
        try:
            told = json.loads(self._line(time.monotonic() + self._seconds))
        except TimeoutError:
            self.end()
            raise HubError(400, f"it took longer than {self._seconds:g} seconds and was ended") from None
        except (OSError, ValueError):
            raise self._ended() from None
        if told.get("over"):
            self.end()
        if "error" in told:
            raise HubError(400, " ".join(str(told["error"]).split())[:500])
        return told["answer"]

    def _line(self, deadline: float) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            piece = self._socket.recv(1 << 20)
            if not piece or len(line) > _MAX_ANSWER:
                raise ValueError("no whole line")
            line += piece
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(line)

    def _ended(self) -> HubError:
        self.end()
        return HubError(400, "its process ended: it crashed, or it needed more memory than this Hub gives")

    @property
    def is_alive(self) -> bool:
        """Whether another question makes sense."""
        return self._process.code is None

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.end()
        self._socket.close()


def _environment(home: Path) -> dict[str, str]:
    """No network, a cache of its own, the server's packages."""
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(home)}
    return {**threads, **offline, "PYTHONPATH": own_packages()}
