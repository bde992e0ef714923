"""Spaces that run: a pushed Gradio Space becomes a process, with its variables, its secrets and its log."""

from __future__ import annotations

import http.client
import logging
import posixpath
import shutil
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from local_hub.catalogue import Shelf
from local_hub.cross_origin import other_site
from local_hub.errors import HubError
from local_hub.exports import export_files
from local_hub.hub import Hub
from local_hub.own_words import head_of, metadata_of
from local_hub.processes import Limits, Supervised, clean_environment
from local_hub.requirements import BuildError, Environments, pip_settings, wanted_packages

log = logging.getLogger("local_hub")
_START_SECONDS = 300
_BUILD_SECONDS = 1800
_GRACE_SECONDS = 5
_LOG_BYTES = 200_000


@dataclass
class _Run:
    """One attempt to build and run a Space."""

    folder: Path
    stage: str = "BUILDING"
    message: str | None = None
    process: Supervised | None = None
    port: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def fail(self, stage: str, message: str) -> None:
        """End in a stage that says what went wrong."""
        self.stage, self.message = stage, message


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _new_log(path: Path) -> IO[bytes]:
    """An empty log, for appending: the supervisor may cut it while others write."""
    path.unlink(missing_ok=True)
    return path.open("ab")


class SpaceRunner:
    """Runs the Gradio Spaces of a Hub, one process each; only made with --run-spaces."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._folder = hub.settings.root / "spaces"
        self._environments = Environments(hub.settings.root / "environments")
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()
        hub.listeners.append(self._after_change)
        hub.deletion_listeners.append(self._forget)
        hub.closers.append(self.close)

    def start_all(self) -> None:
        """Start every Space that is not paused."""
        for shelf in self._hub.catalogue.all():
            if shelf.id.kind == "spaces":
                self.restart(shelf)

    def _after_change(self, shelf: Shelf, ref: str) -> None:
        if shelf.id.kind == "spaces" and ref == "refs/heads/main":
            self.restart(shelf)

    def restart(self, shelf: Shelf) -> None:
        """Stop the Space and start what main holds now, in the background; a paused one stays stopped."""
        self.stop(shelf)
        card = metadata_of(shelf, head_of(shelf))
        if shelf.record.paused or card.get("sdk") != "gradio":
            return
        run = _Run(self._folder / shelf.record.id)
        with self._lock:
            self._runs[shelf.record.id] = run
        threading.Thread(
            target=self._go, args=(shelf, run, card), name=f"space {shelf.id}", daemon=True
        ).start()

    def wake(self, shelf: Shelf) -> None:
        """Start the Space unless that was tried already."""
        with self._lock:
            if shelf.record.id not in self._runs:
                self.restart(shelf)

    def stop(self, shelf: Shelf) -> None:
        """End the Space's process, if it has one."""
        with self._lock:
            run = self._runs.pop(shelf.record.id, None)
        if run:
            self._end(run)

    def _forget(self, shelf: Shelf) -> None:
        self.stop(shelf)
        shutil.rmtree(self._folder / shelf.record.id, ignore_errors=True)

    def _end(self, run: _Run) -> None:
        with self._lock:  # from here on nothing is started for this run
            run.cancelled.set()
        if run.process:
            run.process.end()

    def close(self) -> None:
        """Stop every Space."""
        with self._lock:
            runs, self._runs = list(self._runs.values()), {}
            for run in runs:
                run.cancelled.set()
        for run in runs:
            if run.process:
                run.process.ask_to_end()  # all of them at once; then wait for each
        for run in runs:
            self._end(run)

    def stage(self, shelf: Shelf) -> tuple[str, str | None]:
        """The stage and, after a failure, what happened."""
        with self._lock:
            run = self._runs.get(shelf.record.id)
        return (run.stage, run.message) if run else ("STOPPED", None)

    def address(self, shelf: Shelf, endpoint: str, *, framed: bool = False) -> str | None:
        """Where the app answers whoever reached the Hub at `endpoint`, None while it does not.

        In a frame of the Hub's own pages it goes by another name, so that it gets none of the Hub's cookies.
        """
        with self._lock:
            run = self._runs.get(shelf.record.id)
        host = urlsplit(endpoint).hostname or self._hub.settings.host
        host = other_site(host, self._hub.settings.host) if framed else host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{run.port}/" if run and run.stage == "RUNNING" else None

    def log(self, shelf: Shelf, kind: str) -> str:
        """The end of the build or run log."""
        path = self._folder / shelf.record.id / f"{kind}.log"
        return path.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace") if path.exists() else ""

    def _go(self, shelf: Shelf, run: _Run, card: dict[str, Any]) -> None:
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            if self._build(shelf, run, card) and not run.cancelled.is_set():
                self._watch(run)
        except BuildError as error:
            run.fail("BUILD_ERROR", str(error))
        except HubError as error:
            run.fail("BUILD_ERROR", error.message)
        except OSError as error:
            run.fail("RUNTIME_ERROR", f"The Space could not be started: {error.strerror}")
        except Exception as error:  # whatever a card or a variable may hold: no Space starts for ever
            log.exception("the Space %s failed to start", shelf.id)
            run.fail("RUNTIME_ERROR", f"The Space could not be started: {type(error).__name__}")

    def _build(self, shelf: Shelf, run: _Run, card: dict[str, Any]) -> bool:
        """Whether the app was started."""
        oid = shelf.repository.resolve("main")
        shutil.rmtree(run.folder / "app", ignore_errors=True)
        app = export_files(self._hub, shelf, oid, run.folder / "app")
        file = posixpath.normpath(str(card.get("app_file") or "app.py"))
        entry = shelf.repository.find(oid, file)
        if entry is None or not (app / file).is_file():
            run.fail("NO_APP_FILE", f"{file[:200]!r} is missing.")
            return False
        with _new_log(run.folder / "build.log") as build_log:
            python = self._packages(run, app, card, build_log)
        run.port = _free_port(self._hub.settings.host)
        run.stage = "RUNNING_APP_STARTING"
        with _new_log(run.folder / "run.log") as run_log:
            environment = self._environment(shelf, run)
            return self._start(run, [str(python), file], app, environment, run_log, None) is not None

    def _packages(self, run: _Run, app: Path, card: dict[str, Any], build_log: IO[bytes]) -> Path:
        environment = clean_environment(self._hub.settings.root, run.folder) | pip_settings()

        def install(command: list[str], folder: Path) -> int:
            process = self._start(run, command, folder, environment, build_log, _BUILD_SECONDS)
            return process.wait() if process else 1

        try:
            return self._environments.interpreter_for(wanted_packages(app, card), install, build_log)
        except BuildError as error:
            build_log.write(f"{error}\n".encode())
            raise

    def _start(
        self,
        run: _Run,
        command: Sequence[str],
        folder: Path,
        environment: dict[str, str],
        output: IO[bytes],
        seconds: float | None,
    ) -> Supervised | None:
        """Start a process of the run, None if the run was cancelled meanwhile."""
        settings = self._hub.settings
        limits = Limits(settings.space_memory, settings.space_processes, seconds, _GRACE_SECONDS)
        with self._lock:
            if run.cancelled.is_set():
                return None
            run.process = Supervised(
                command, folder=folder, environment=environment, limits=limits, log=output
            )
        return run.process

    def _environment(self, shelf: Shelf, run: _Run) -> dict[str, str]:
        """Only what the Space needs: not the server's own environment, which may hold secrets."""
        settings, record = self._hub.settings, shelf.record
        variables = {key: variable.value or "" for key, variable in record.variables.items()}
        own = {
            "HF_HOME": str(run.folder / "home"),
            "HF_ENDPOINT": settings.address,
            "SYSTEM": "spaces",
            "SPACE_ID": str(shelf.id),
            "SPACE_AUTHOR_NAME": shelf.id.namespace,
            "SPACE_REPO_NAME": shelf.id.name,
            "GRADIO_SERVER_NAME": settings.host,
            "GRADIO_SERVER_PORT": str(run.port),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        given = {**variables, **shelf.secret_values(), **own}
        return clean_environment(settings.root, run.folder, given)

    def _watch(self, run: _Run) -> None:
        """RUNNING once the app answers, RUNTIME_ERROR when it ends or never answers."""
        assert run.process is not None
        deadline = time.monotonic() + _START_SECONDS
        while run.process.code is None and not run.cancelled.is_set():
            if run.stage == "RUNNING":
                run.cancelled.wait(1)
            elif self._answers(run):
                run.stage = "RUNNING"
            elif time.monotonic() > deadline:
                run.message = f"The app did not answer within {_START_SECONDS} seconds."
                run.process.end()
            else:
                run.cancelled.wait(0.2)
        if not run.cancelled.is_set():
            ended = f"The app ended with exit code {run.process.code}; see the run log."
            run.fail("RUNTIME_ERROR", run.message or ended)

    def _answers(self, run: _Run) -> bool:
        """Whether the app itself answers: no proxy between, no redirect followed to somewhere else."""
        connection = http.client.HTTPConnection(self._hub.settings.host, run.port, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status < 400
        except (http.client.HTTPException, OSError):
            return False
        finally:
            connection.close()
