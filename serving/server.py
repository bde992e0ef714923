"""Running the application: processes, threads, and an end at which no request is lost.

SIGTERM or Ctrl-C: /health answers 503 at once, requests are still answered for `drain_seconds`, then the port
is closed, what runs is finished, and the process exits with 0. A second signal skips the waiting.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from serving.connections import guarded_protocol
from serving.limits import Limits
from serving.listener import BACKLOG, NOBODY, Connections, SharedListener
from serving.log import write_json_lines
from serving.model import ModelError, load_model

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
FINISH_SECONDS = 30  # for requests that run when the port is closed
SOON = 10.0  # seconds; a worker that ends sooner than this cannot start at all
CANNOT_START = 3  # exit code of a worker whose release cannot be loaded


@dataclass(frozen=True)
class ServerSettings:
    """What is served, where, and by how many processes of how many threads."""

    source: str
    revision: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 1
    token: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    drain_seconds: float = 2.0


class DrainingServer(uvicorn.Server):
    """Takes requests for a moment longer after it was asked to stop, so that a load balancer can react."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds, self._announce = drain_seconds, announce
        self._asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain. uvicorn calls this for SIGTERM and SIGINT; the exit will be 0."""
        if self._asked or not self.started:
            self.should_exit = True
            return
        self._asked = True
        self._announce()
        asyncio.get_running_loop().call_later(self._drain_seconds, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def serve(settings: ServerSettings, listener: socket.socket) -> int:
    """Serve until SIGTERM and return the exit code. ModelError if the release cannot be loaded."""
    if settings.workers == 1:
        # while the model is loaded: as process 1 of a container this one would ignore SIGTERM
        signal.signal(signal.SIGTERM, _end)
        run_worker(settings, listener)
        return 0
    with tempfile.TemporaryDirectory(prefix="finsent-metrics-") as folder:
        os.environ[SHARED_METRICS] = folder
        return Supervisor(settings, listener).run()


def _end(sig: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def run_worker(settings: ServerSettings, listener: socket.socket) -> None:
    """Serve in this process until SIGTERM."""
    write_json_lines()
    from serving.rest import create_app  # after SHARED_METRICS is set: it imports prometheus_client

    model = load_model(settings.source, settings.revision)
    app = create_app(model, settings.limits, settings.threads, settings.token, settings.workers > 1)

    def announce() -> None:
        app.state.server.draining = True

    gc.collect()
    gc.freeze()  # what is loaded stays; to look through it again stops every request for 20 ms
    config = configure(app, settings.limits, listener)
    DrainingServer(config, settings.drain_seconds, announce).run(sockets=[listener])


def configure(app: ASGIApp, limits: Limits, listener: socket.socket | None = None) -> uvicorn.Config:
    """Return how uvicorn serves the application, on a listener that may be shared."""
    count = listener.count if isinstance(listener, SharedListener) else None
    return uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, log_level="warning",
        server_header=False, ws="none", http=guarded_protocol(limits, count),
        timeout_graceful_shutdown=FINISH_SECONDS, backlog=BACKLOG,
    )  # fmt: skip


def run_worker_process(
    settings: ServerSettings, listener: socket.socket, connections: Connections, process: int
) -> None:
    """Serve in a process of its own; one line and CANNOT_START when the release cannot be loaded."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run_worker(settings, SharedListener(listener, connections, process))
    except ModelError as error:
        print(f"serving: {error}", file=sys.stderr)
        raise SystemExit(CANNOT_START) from None


def _end_with_parent() -> None:
    """Stop this worker when the supervisor is gone, killed as it may be: nobody else would."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Keeps `workers` processes alive on one port; a worker that dies is replaced."""

    def __init__(self, settings: ServerSettings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._context = multiprocessing.get_context("spawn")  # threads and fork do not go together
        self._connections = Connections(settings.workers)
        self._workers: dict[int, tuple[multiprocessing.process.BaseProcess, float]] = {}
        self._stopping = self._failed = False

    def run(self) -> int:
        """Run until SIGTERM; 0 then, 1 when workers cannot start."""
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, self._stop)
        for place in range(self._settings.workers):
            self._start(place)
        while self._workers:
            multiprocessing.connection.wait(
                [worker.sentinel for worker, _ in self._workers.values()], timeout=0.2
            )
            for place, (worker, started) in list(self._workers.items()):
                if not worker.is_alive():
                    self._replace(place, worker, started)
        return 1 if self._failed else 0

    def _start(self, place: int) -> None:
        told = (self._settings, self._listener, self._connections, place)
        worker = self._context.Process(target=run_worker_process, args=told)
        worker.start()
        self._workers[place] = worker, time.monotonic()

    def _replace(self, place: int, worker: multiprocessing.process.BaseProcess, started: float) -> None:
        """Put another process in the place of one that ended; end all when it could not even start."""
        from prometheus_client.multiprocess import mark_process_dead  # after SHARED_METRICS is set

        del self._workers[place]
        self._connections[place] = NOBODY
        # else the requests that it had would count as waiting for ever; the library is untyped
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
        useless = worker.exitcode == CANNOT_START or time.monotonic() - started < SOON
        if not self._stopping and useless:
            self._failed = True
            self._stop(signal.SIGTERM, None)
        elif not self._stopping:
            self._start(place)

    def _stop(self, sig: int, frame: FrameType | None) -> None:
        self._stopping = True
        for worker, _ in self._workers.values():
            worker.terminate()
