"""Loaded models: processes of their own behind sockets, with limits on their memory and their time."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from local_hub.errors import HubError
from local_hub.processes import Limits, Supervised, clean_environment, own_packages
from local_hub.settings import HubSettings

_HOST = Path(__file__).with_name("model_host.py")
_MAX_ANSWER = 64 << 20
_MAX_PROCESSES, _IMPORT_SECONDS = 16, 300.0


class ModelHost:
    """The process that has imported the libraries and forks one for each model; started when needed."""

    def __init__(self, settings: HubSettings, home: Path) -> None:
        self._settings, self._home = settings, home
        self._supervised: Supervised | None = None
        self._control: socket.socket | None = None
        self._models: set[ModelProcess] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start_model(self) -> ModelProcess:
        """A new process without a model; OSError if there is none to be had."""
        with self._lock:
            if self._closed:
                raise OSError(0, "the Hub is closing")
            if self._supervised is None or self._supervised.code is not None:
                self._start()
            ours, theirs = socket.socketpair()
            with theirs:
                pid = int(self._order(b"start", theirs))
            model = ModelProcess(self, ours, pid, self._settings.inference_seconds)
            self._models.add(model)
            return model

    def end_model(self, model: ModelProcess, pid: int) -> None:
        """Kill the process of a model; its parent does it, so that the number is still its own."""
        with self._lock, suppress(OSError):
            self._models.discard(model)
            self._order(b"end %d" % pid)

    def _start(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        memory = self._settings.inference_memory
        ours, theirs = socket.socketpair()
        with theirs, Path(os.devnull).open("ab") as log:
            self._supervised = Supervised(
                [sys.executable, "-P", str(_HOST), str(theirs.fileno())],
                folder=self._home,
                environment=clean_environment(self._settings.root, self._home, _environment(self._home)),
                limits=Limits(memory, _MAX_PROCESSES, memory_together=4 * memory),
                log=log,
                pass_fds=[theirs.fileno()],
            )
        if self._control:
            self._control.close()
        self._control = ours

    def _order(self, order: bytes, handed: socket.socket | None = None) -> bytes:
        """One order and its answer; they alternate, so that none can run into another."""
        if self._control is None:
            raise OSError(0, "no process for models was started")
        self._control.settimeout(_IMPORT_SECONDS)
        socket.send_fds(self._control, [order], [handed.fileno()] if handed else [])
        return self._control.recv(100)

    def close(self) -> None:
        """End it with every model, for good."""
        self._closed = True  # without the lock: who holds it may wait for what is ended here
        if self._supervised:
            self._supervised.end()
        with self._lock:
            models, self._models = self._models, set()
            if self._supervised:
                self._supervised.end()  # one that was started meanwhile
            if self._control:
                self._control.close()
        for model in models:
            model.end()


class ModelProcess:
    """Loads one model and answers for it, one question at a time."""

    def __init__(self, host: ModelHost, connection: socket.socket, pid: int, seconds: float) -> None:
        self._host, self._socket, self._pid, self._seconds = host, connection, pid, seconds
        self._ended = False
        connection.setblocking(False)

    def has_ended(self) -> bool:
        """Whether it answers no more."""
        return self._ended

    async def ask(self, question: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        """The answer; 400 with a sentence for an error, the end of the process and the end of its time."""
        line = json.dumps(question).encode() + b"\n"
        try:
            told = json.loads(await asyncio.wait_for(self._exchange(line), self._seconds))
        except TimeoutError:
            self.end()
            raise HubError(400, f"it took longer than {self._seconds:g} seconds and was ended") from None
        except (OSError, ValueError):
            self.end()
            message = "its process ended: it crashed, or it needed more memory than this Hub gives"
            raise HubError(400, message) from None
        except asyncio.CancelledError:
            self.end()  # its answer must not become that of the next question
            raise
        if told.get("over"):
            self.end()
        if "error" in told:
            raise HubError(400, " ".join(str(told["error"]).split())[:500])
        return told["answer"]

    async def _exchange(self, line: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, line)
        answer = bytearray()
        while not answer.endswith(b"\n"):
            piece = await loop.sock_recv(self._socket, 1 << 20)
            if not piece or len(answer) > _MAX_ANSWER:
                raise ValueError("no whole line")
            answer += piece
        return bytes(answer)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        if not self._ended:
            self._ended = True
            self._host.end_model(self, self._pid)
            self._socket.close()


def _environment(home: Path) -> dict[str, str]:
    """No network, a cache of its own, the server's packages."""
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(home)}
    return {**threads, **offline, "PYTHONPATH": own_packages()}
